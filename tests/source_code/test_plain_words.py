"""Plain words, checked on the source code: short first sentences, locals named by nouns.

A docstring's first sentence has at most MOST_WORDS words. This holds for modules, classes, functions, constants and fields, and for the
comments `/** ... */` of the studio.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("shared", "gateway", "services", "benchmarks", "docs")
PYTHON = [ROOT / "reelwright.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
SCRIPTS = [path for folder in ("gateway", "services", "shared") for path in sorted((ROOT / folder).rglob("*.js"))]

MOST_WORDS = 14

GENERATED = "shared/client/signatures.py"
"""File without this check: its first lines are operations' summaries, which users read."""

NO_NOUNS = set(re.findall(r"\w+", "both each few found given here it kept known met one same seen such taken there told wanted"))
"""Words that do not name what a variable holds."""


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring, on one line."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return re.split(r'(?<=[.!?])\s+(?=[A-Z`"(\[0-9@])', paragraph)[0]


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring, also of constants and fields."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        documents_itself = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for before, statement in zip([None, *body], body, strict=False):
            follows = documents_itself if before is None else isinstance(before, ast.Assign | ast.AnnAssign)
            if follows and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement.lineno, str(statement.value.value)


def comments(script: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each description in a comment `/** */`."""
    for match in re.finditer(r"/\*\*(.*?)\*/", script, re.DOTALL):
        lines = [re.sub(r"^\s*\*? ?", "", line) for line in match[1].strip().splitlines()]
        if not lines[0].startswith("@"):
            yield script.count("\n", 0, match.start()) + 1, "\n".join(lines)


def long_sentences(texts: Iterator[tuple[int, str]]) -> list[str]:
    """Return the first sentences that are too long, with their lines."""
    sentences = ((line, first_sentence(text)) for line, text in texts)
    return [f"line {line}: {sentence}" for line, sentence in sentences if len(sentence.split()) > MOST_WORDS]


def vague_locals(tree: ast.Module) -> list[str]:
    """Return the variables and arguments of functions in NO_NOUNS, with their lines."""
    names: set[tuple[int, str]] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NO_NOUNS:
                    names.add((node.lineno, node.id))
                elif isinstance(node, ast.arg) and node.arg in NO_NOUNS:
                    names.add((node.lineno, node.arg))
    return [f"line {line}: {name}" for line, name in sorted(names)]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in PYTHON if name_of(path) != GENERATED], ids=name_of)
def test_first_sentences_of_docstrings_are_short(path):
    assert long_sentences(docstrings(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_first_sentences_of_comments_are_short(path):
    assert long_sentences(comments(path.read_text())) == []


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_locals_are_nouns(path):
    assert vague_locals(ast.parse(path.read_text())) == []


def test_the_rules_can_fail():
    long = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."
    tree = ast.parse(f'"""{long}"""\nA = 1\n"""{long}"""\ndef f(here, b):\n    """Short. {long}"""\n    for one in b: c = lambda it: it\n')
    assert [line for line, _ in docstrings(tree)] == [1, 3, 5]
    assert len(long_sentences(docstrings(tree))) == 2
    assert vague_locals(tree) == ["line 4: here", "line 6: it", "line 6: one"]
    script = f"/** {long} */\nlet a;\n/** @type {{number}} */\n/**\n * Short. {long}\n */\n/**\n * {long}\n */\n"
    assert [line for line, _ in comments(script)] == [1, 4, 7]
    assert len(long_sentences(comments(script))) == 2
