"""Arguments of tests: each is read. Fixtures without a value to read are named in `usefixtures`."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def unused_arguments(tree: ast.Module) -> list[str]:
    """Return the arguments that test functions take and never read."""
    unused = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_"):
            names = {node.id for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.Name)}
            arguments = {argument.arg for argument in function.args.args + function.args.kwonlyargs} - {"self"}
            unused += [f"{function.name}: {name}" for name in sorted(arguments - names)]
    return unused


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_a_test_uses_its_arguments(path):
    assert unused_arguments(ast.parse(path.read_text())) == []


def test_the_rule_can_fail():
    assert unused_arguments(ast.parse("def test_a(b, c):\n    assert b\nasync def test_d(e, *, f): print(f)\ndef g(h): ...")) == [
        "test_a: c",
        "test_d: e",
    ]
