"""`background.composite` with `alpha: auto` and published weights (`make test-models`)."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.material.clips import sample_clip
from shared.models.folder import installed
from shared.settings import Settings
from shared.testing import suite
from shared.video import read_frames

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]
COLOR = (30, 58, 95)


def test_a_person_is_cut_out_by_rvm_and_put_over_a_colour(use_settings, tmp_path: Path) -> None:
    use_settings(device="cpu")
    if not installed("rvm-mobilenetv3"):
        pytest.skip("the weights are not installed: make test-models")
    models = Settings().models_dir.absolute()
    clip = sample_clip("carphone_pristine.mp4")
    with suite(tmp_path / "suite", MODELS_DIR=str(models), DEVICE="cpu") as running:
        media = running.upload(clip)["id"]
        params = {"color": "#1e3a5f", "duration": 0.6, "decontaminate": False, "light_wrap": 0, "quality": 95}
        body = {"inputs": {"video": media, "alpha": "auto"}, "params": params}
        answer = running.client.post("/v1/background/composite/jobs", json=body)
        assert answer.status_code == 202, answer.text
        done = running.wait(answer.json()["id"], timeout_s=400)
        assert done["status"] == "succeeded", done
        maker, composite = done["result"]["steps"]
        backend, coverage = maker["result"]["backend"], maker["result"]["coverage"]
        assert (maker["operation"], backend["name"], backend["reason"]) == ("matting.matte", "rvm", "people are in the picture")
        assert 0.3 < coverage < 0.6
        assert (composite["operation"], composite["result"]["frames"], composite["result"]["background"]) == (
            "background.composite",
            18,
            "color",
        )
        matte_file = tmp_path / "made.mp4"
        matte_file.write_bytes(running.client.get(done["outputs"]["composite.video"]["urls"]["content"]).content)
    with read_frames(matte_file) as frames:
        behind = np.mean([(np.abs(frame.rgb().astype(int) - COLOR).max(axis=2) <= 6).mean() for frame in frames])
    # The colour is where the person is not; soft edges are neither.
    assert behind == pytest.approx(1 - coverage, abs=0.1)
