"""Import rules, checked on the source code.

Services stand alone, `shared` knows none of them, no import forms a cycle or leads from a room to the files above it, heavy libraries load
late, only the composition root reads the environment, and no folder is too full.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for room in ("shared", "gateway", "services") for path in sorted((ROOT / room).rglob("*.py"))]
HEAVY = {"torch", "tensorflow", "keras", "diffusers", "transformers", "onnxruntime", "openvino"}

READ_THE_SETTINGS = {"shared/cli/app.py", "shared/worker/child.py"}
"""Files that call `Settings()`: the command line and a worker's start. The command line is part of the composition root."""

USE_THE_ENVIRONMENT = {
    "shared/cli/app.py": "names misspelt variables",
    "shared/jobs/running/files/job_log.py": "hides secrets in the logs of jobs",
    "shared/models/devices/device.py": "CUDA_VISIBLE_DEVICES belongs to CUDA",
    "shared/net/transport.py": "SSL_CERT_FILE and SSL_CERT_DIR belong to OpenSSL",
    "shared/testing.py": "starts a suite with settings of its own",
    "shared/video/writing/encoders.py": "SVT_LOG quiets an encoder",
    "shared/worker/guard.py": "hands it on to the child",
    "shared/worker/sandbox/entry.py": "directs temporary files and caches to the process's own folder",
    "shared/worker/processes/environment.py": "chooses what the child gets of it",
    "services/aesthetics/nima/keras_model.py": "TF_CPP_MIN_LOG_LEVEL quiets TensorFlow",
    "services/aesthetics/nima/conversion.py": "starts TensorFlow without a GPU",
}

MOST_FILES = 13
"""Largest number of Python files in a folder, beside `__init__.py`. A fuller folder gets rooms."""

TOP_OF_A_SERVICE = {"__init__.py", "app.py", "commands.py", "compat.py", "operations.py", "params.py"}
"""Python files at the top of a service, beside one for each operation."""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """Yield the full names of all modules that a file imports."""
    tree = ast.parse(path.read_text())
    nodes = ast.iter_child_nodes(tree) if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names if _file(f"{node.module}.{name.name}"))


def import_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Return the imports of each file, as paths.

    Paths are relative to `root`. A package stands for its `__init__.py`.
    """
    graph = {}
    for path in (path for room in ("shared", "gateway", "services") for path in (root / room).rglob("*.py")):
        targets = [set(_targets(node, root)) for node in ast.walk(ast.parse(path.read_text()))]
        name = str(path.relative_to(root))
        graph[name] = set().union(*targets) - {name}
    return graph


def floors(graph: Mapping[str, set[str]], folder: str) -> dict[str, set[str]]:
    """Reduce the import graph to the members of one folder.

    A member is a file, or a room below the folder as one node.
    """
    members: dict[str, set[str]] = {}
    for file, imported in graph.items():
        if (member := _member(file, folder)) is not None:
            targets = {target for path in imported if (target := _member(path, folder)) is not None}
            members.setdefault(member, set()).update(targets - {member})
    return members


def upward(graph: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Find imports from a subfolder (a room) to the files above it.

    These are files at the top of a service or the gateway.
    """
    pairs = set()
    for file, imported in graph.items():
        top = _top(file)
        if top and Path(file).parent != top:
            pairs |= {(file, target) for target in imported if Path(target).parent == top and Path(target).name != "__init__.py"}
    return pairs


def environment_reads(path: Path) -> set[str]:
    """Find uses of `Settings()` and `os.environ` in a file."""
    reads = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Settings"):
            reads.add("Settings()")
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "os.putenv"):
            reads.add("os.environ")
    return reads


def rooms_of(path: Path) -> set[str]:
    """Return the top-level packages that a file imports from.

    These are shared, gateway, services.<name> and reelwright.
    """
    rooms = set()
    for name in imports(path):
        parts = name.split(".")
        if parts[0] in ("shared", "gateway", "reelwright"):
            rooms.add(parts[0])
        elif parts[0] == "services" and len(parts) > 1:
            rooms.add(f"services.{parts[1]}")
    return rooms


@each_file
def test_a_file_imports_only_from_the_rooms_it_may(path):
    room = path.relative_to(ROOT).parts[0]
    own = ".".join(path.relative_to(ROOT).parts[:2]) if room == "services" else room
    assert rooms_of(path) <= {own, "shared"}


@each_file
def test_heavy_libraries_are_imported_inside_functions(path):
    assert not {name.partition(".")[0] for name in imports(path, top_level_only=True)} & HEAVY


@each_file
def test_only_the_composition_root_reads_the_environment(path):
    name, reads = str(path.relative_to(ROOT)), environment_reads(path)
    assert ("Settings()" in reads) == (name in READ_THE_SETTINGS), "library code calls shared.settings.current()"
    assert ("os.environ" in reads) == (name in USE_THE_ENVIRONMENT), "what the operator chooses is a setting"


def test_every_room_says_in_two_lines_what_is_in_it():
    rooms = {
        str(path.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text())) or "" for path in FILES if path.name == "__init__.py"
    }
    assert [name for name, text in rooms.items() if len([line for line in text.splitlines() if line]) < 2] == []


def test_no_files_import_each_other_in_a_cycle():
    assert cycle(import_graph()) is None


def test_the_members_of_a_folder_import_each_other_without_cycles():
    graph = import_graph()
    folders = {str(parent) for file in graph for parent in Path(file).parents}
    cycles = {folder: members for folder in sorted(folders) if (members := cycle(floors(graph, folder)))}
    assert not cycles


def test_no_room_imports_from_the_files_above_it():
    assert upward(import_graph()) == set()


def test_a_folder_holds_few_files_and_says_what_they_are():
    scripts = sorted((ROOT / "benchmarks").rglob("*.py"))
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in FILES + scripts if path.name != "__init__.py")
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}
    rooms = [ROOT / folder for folder in counts if folder.count("/") > 1 or folder.startswith(("shared/", "gateway/", "benchmarks/"))]
    assert [str(room) for room in rooms if not ast.get_docstring(ast.parse((room / "__init__.py").read_text()))] == []


def test_a_folder_of_tests_holds_few_files():
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py")
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_the_top_of_a_service_holds_its_operations_and_a_few_known_files():
    strangers = []
    for path in sorted((ROOT / "services").glob("*/*.py")):
        declares = any(
            isinstance(node, ast.Call) and ast.unparse(node.func) == "Operation" for node in ast.walk(ast.parse(path.read_text()))
        )
        if not declares and path.name not in TOP_OF_A_SERVICE:
            strangers.append(str(path.relative_to(ROOT)))
    assert strangers == [], "these belong in a room"


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


def test_the_rules_can_fail(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("from services.speed_ramp import curve\nimport gateway.app\nimport torch\nos.environ['A']\nSettings()\n")
    assert rooms_of(bad) == {"services.speed_ramp", "gateway"}
    assert "torch" in set(imports(bad, top_level_only=True))
    assert environment_reads(bad) == {"Settings()", "os.environ"}
    for name, text in (
        ("services/x/detect.py", "from services.x.room.a import f"),
        ("services/x/room/a.py", "def f():\n    from services.x.other import b"),
        ("services/x/other/b.py", "import services.x.room.c"),
        ("services/x/room/c.py", "from services.x.params import Params"),
        ("services/x/params.py", ""),
        ("shared/d.py", "from shared import e"),
        ("shared/e.py", "from shared.d import f"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    graph = import_graph(tmp_path)
    assert set(cycle(graph) or ()) == {"shared/d.py", "shared/e.py"}
    assert set(cycle(floors(graph, "services/x")) or ()) == {"room", "other"}
    assert upward(graph) == {("services/x/room/c.py", "services/x/params.py")}


def cycle(graph: Mapping[str, set[str]]) -> list[str] | None:
    """Return a cycle of the import graph, or None."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def _targets(node: ast.AST, root: Path) -> Iterator[str]:
    """Yield the project files that an import statement names."""
    if isinstance(node, ast.Import):
        names = [name.name for name in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{name.name}" for name in node.names]
    else:
        return
    for name in names:
        file = _file(name, root) or _file(name.rpartition(".")[0], root)
        if file:
            yield file


def _file(module: str, root: Path = ROOT) -> str | None:
    """Return a module's file relative to `root`, or None.

    None if the module is not part of this project.
    """
    base = module.replace(".", "/")
    return next((path for path in (f"{base}.py", f"{base}/__init__.py") if (root / path).is_file()), None)


def _member(file: str, folder: str) -> str | None:
    path = Path(file)
    return path.relative_to(folder).parts[0] if path.is_relative_to(folder) else None


def _top(file: str) -> Path | None:
    parts = Path(file).parts
    if parts[0] == "gateway":
        return Path("gateway")
    return Path(*parts[:2]) if parts[0] == "services" and len(parts) > 2 else None
