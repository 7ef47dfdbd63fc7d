"""Reference pages, links and make targets of the documents: each is valid."""

import re
from pathlib import Path

import pytest

import reelwright
from docs.generate import pages, stale_pages

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
DOCUMENTS += sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "services").rglob("README.md"))


@pytest.mark.parametrize("path", pages())
def test_a_page_matches_the_declarations(path: str) -> None:
    assert (ROOT / path).read_text() == pages()[path], "run `make docs`"


def test_a_stale_table_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text()
    for path, text in pages().items():
        copy = tmp_path / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
    (tmp_path / "README.md").write_text(readme.replace("| `speed-ramp.render` |", "| `speed-ramp.gone` |"))
    monkeypatch.setattr("docs.generate.ROOT", tmp_path)
    assert stale_pages() == ["README.md"]


def test_the_types_for_other_programs_have_all_names_of_the_client() -> None:
    stub = (ROOT / "reelwright-stubs/__init__.pyi").read_text()
    assert re.findall(r"^from shared\.client import (\w+) as \1$", stub, re.MULTILINE) == reelwright.__all__


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in DOCUMENTS:
        named = set(re.findall(r"(?:`|\n)make ([a-z-]+)", page.read_text()))
        assert named <= targets, page
    assert {"demo", "up", "test"} <= set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
