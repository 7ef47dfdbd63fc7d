"""Who may import whom, read from the source: services stand alone, shared/ knows none of them, heavy libraries load late."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for room in ("shared", "gateway", "services") for path in sorted((ROOT / room).rglob("*.py"))]
HEAVY = {"torch", "tensorflow", "keras", "diffusers", "transformers", "onnxruntime", "openvino"}


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Full names of the modules that a file imports."""
    tree = ast.parse(path.read_text())
    nodes = ast.iter_child_nodes(tree) if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def rooms_of(path: Path) -> set[str]:
    """The rooms that a file reaches into: shared, gateway, services.<name>, reelwright."""
    found = set()
    for name in imports(path):
        parts = name.split(".")
        if parts[0] in ("shared", "gateway", "reelwright"):
            found.add(parts[0])
        elif parts[0] == "services" and len(parts) > 1:
            found.add(f"services.{parts[1]}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_reaches_only_into_the_rooms_it_may(path):
    room = path.relative_to(ROOT).parts[0]
    own = ".".join(path.relative_to(ROOT).parts[:2]) if room == "services" else room
    assert rooms_of(path) <= {own, "shared"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_inside_functions(path):
    assert not {name.partition(".")[0] for name in imports(path, top_level_only=True)} & HEAVY


def test_only_the_job_package_knows_dbos():
    users = {path for path in FILES if any(name.partition(".")[0] == "dbos" for name in imports(path))}
    assert users
    assert all(path.is_relative_to(ROOT / "shared" / "jobs") for path in users)


def test_shared_names_no_service():
    names = {path.name for path in (ROOT / "services").iterdir() if (path / "operations.py").exists()}
    assert names
    for path in (ROOT / "shared").rglob("*.py"):
        code = ast.unparse(ast.parse(path.read_text()))
        mentions = [name for name in names if f"services.{name}" in code]
        assert not mentions, f"{path} mentions {mentions}"


def test_the_rule_can_fail(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("from services.speed_ramp import curve\nimport gateway.app\nimport torch\n")
    assert rooms_of(bad) == {"services.speed_ramp", "gateway"}
    assert "torch" in set(imports(bad, top_level_only=True))
