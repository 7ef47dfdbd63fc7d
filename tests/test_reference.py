"""The reference pages say what the declarations say."""

import re
from pathlib import Path

import pytest

from docs.generate import pages

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", pages())
def test_the_page_is_up_to_date(name):
    assert (ROOT / "docs" / name).read_text() == pages()[name], "run `make docs`"


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_links_to_files_lead_somewhere(page):
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_target_of_the_readme_exists():
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "up", "test"} <= named <= targets
