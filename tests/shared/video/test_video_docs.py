"""The tests that docs/video.md names as proofs: each exists, and every row names some."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TEXT = (ROOT / "docs" / "video.md").read_text()
CITATION = re.compile(r"`(?:(?P<short>\w+): |(?P<path>[\w/.]+\.py)::)(?P<test>test_\w+)`")


def cited_path(citation: re.Match[str]) -> Path | None:
    """Return the file that a citation names; None unless exactly one file has the name."""
    if citation["path"]:
        return ROOT / citation["path"]
    files = list(HERE.rglob(f"test_video_{citation['short']}.py"))
    return files[0] if len(files) == 1 else None


def names_in(path: Path | None) -> set[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def proofs() -> list[str]:
    """Return the cells below "proved by"."""
    cells, proving = [], False
    for line in TEXT.splitlines():
        columns = [column.strip() for column in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not columns:
            proving = False
        elif columns[-1] == "proved by":
            proving = True
        elif proving and set(columns[-1]) != {"-"}:
            cells.append(columns[-1])
    return cells


def test_every_cited_test_exists() -> None:
    citations = list(CITATION.finditer(TEXT))
    assert len(citations) > 150
    assert [citation[0] for citation in citations if citation["test"] not in names_in(cited_path(citation))] == []


def test_every_row_cites_tests_and_nothing_else() -> None:
    cells = proofs()
    assert len(cells) > 60
    assert [cell for cell in cells if CITATION.sub("", cell).strip(", ") or not CITATION.search(cell)] == []


def test_no_test_is_cited_in_another_form() -> None:
    assert re.findall(r"`[^`<]*test_[^`<]*`", CITATION.sub("", TEXT)) == []
