"""Errors and warnings of jobs name no folder of the server."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.errors import FieldError, OperationFailed, without_folders
from tests.misbehaving.server import Server, serving_one
from tests.server_paths import server_paths, texts_of

ROOT = Path(__file__).parents[4]
ELSEWHERE = ("/usr/share/fonts/secret.ttf", "/home/operator/notes/secret.txt", "/tmp/upload-1/secret.mp4", "~/models/secret.onnx")


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_one(tmp_path_factory.mktemp("leaking")) as server:
        yield server
        server.log[:] = [line for line in server.log if not line.startswith("Traceback ")]  # those of the operations


@pytest.mark.parametrize("kind", ["os", "library", "operation"])
def test_no_kind_of_failure_names_a_folder(leaking: Server, kind: str) -> None:
    folders = (leaking.data_dir / "media/public", leaking.data_dir / "models/rvm", Path(sys.prefix) / "lib", ROOT / "shared")
    for path in (*(f"{folder}/secret.bin" for folder in folders), *ELSEWHERE):
        job = leaking.wait(leaking.submit("leak", params={"tag": kind, "log": path})["id"])
        assert job["status"] == "failed"
        texts = texts_of([job["error"], job["warnings"]])
        assert any("secret." in text for text in texts), texts
        assert [text for text in texts if str(Path(path).parent) in text] == []
        assert server_paths(texts) == []
        assert job["warnings"], "a warning that names the file"
        if kind == "library":
            assert "https://example.com/docs/errors" in job["error"]["detail"], "addresses stay whole"
        if kind == "operation":
            assert "secret." in job["error"]["errors"][0]["detail"]


def test_field_errors_are_cleaned_as_well(tmp_path: Path, use_settings: Callable[..., None]) -> None:
    use_settings(data_dir=tmp_path)
    path = f"{tmp_path}/media/public/x"
    problem = OperationFailed(f"{path} is gone.", errors=[FieldError(field="inputs.video", detail=f"{path} is gone")]).problem()
    assert [problem["detail"], problem["errors"][0]["detail"]] == ["media/public/x is gone.", "media/public/x is gone"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("[Errno 2] No such file: '/usr/lib/x y.so'", "[Errno 2] No such file: 'x y.so'"),
        ("see https://example.com/a/b and http://[::1]:80/c/d", "see https://example.com/a/b and http://[::1]:80/c/d"),
        ("30000/1001 fps, and/or 1/2/3", "30000/1001 fps, and/or 1/2/3"),
        ("open(/dev/shm/a/b): full", "open(b): full"),
        ("/only", "/only"),
    ],
)
def test_paths_are_shortened_and_addresses_are_not(text: str, clean: str) -> None:
    assert without_folders(text) == clean


def test_the_search_finds_paths() -> None:
    assert server_paths(["cannot open /usr/lib/x.so: no"]) == ["/usr/lib/x.so:"]
    assert str(ROOT) in server_paths([f"in {ROOT}/shared"])  # and the whole path, where the checkout lies among temporary files
    assert server_paths(["GET /v1/jobs; https://example.com/tmp/a"]) == []
    assert server_paths(["no file /etc/x"], sent='{"name": "/etc/x"}') == []
