"""Commands of the documents, for tests that run them as printed."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def blocks(page: str, heading: str, language: str = "sh") -> list[str]:
    """Return the code blocks of one language in a section of a page.

    `page`: path in the repository. Fails without such a block.
    """
    _, _, section = (ROOT / page).read_text().partition(f"\n{heading}\n")
    marks = heading.partition(" ")[0]
    section = re.split(rf"^#{{1,{len(marks)}}} ", section, maxsplit=1, flags=re.MULTILINE)[0]
    found = [code for name, code in BLOCK.findall(section) if name == language]
    assert found, f"{page} has no block of {language} below {heading!r}"
    return found


def lines(block: str) -> list[str]:
    """Return the commands of a block, one for each line."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]
