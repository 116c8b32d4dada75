"""Files and functions stay small enough to be read in one go."""

import ast
from collections.abc import Sequence
from pathlib import Path

MOST_FILE_LINES = 500
MOST_FUNCTION_LINES = 60


def test_no_file_is_longer_than_500_lines(python_files: Sequence[Path], root: Path) -> None:
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in python_files}
    long = [f"{path.relative_to(root)}: {lines}" for path, lines in lengths.items() if lines > MOST_FILE_LINES]
    assert not long, f"split by noun: {long}"


def test_no_function_is_longer_than_60_lines(python_files: Sequence[Path], root: Path) -> None:
    long = [
        f"{path.relative_to(root)}:{node.lineno} {node.name}: {lines}"
        for path in python_files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
    ]
    assert not long, long


def test_the_composition_root_stays_short(root: Path) -> None:
    lines = (root / "server.py").read_text(encoding="utf-8").count("\n")
    assert lines <= 150, f"server.py has {lines} lines: build in the rooms, wire here"


def test_a_package_file_is_one_docstring(python_files: Sequence[Path], root: Path) -> None:
    """`from platforms.base import Ability`, never `from platforms import Ability`."""
    loud = [
        str(path.relative_to(root))
        for path in python_files
        if path.name == "__init__.py" and not _is_one_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not loud, loud


def _is_one_docstring(tree: ast.Module) -> bool:
    return len(tree.body) == 1 and ast.get_docstring(tree) is not None
