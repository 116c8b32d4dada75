"""Imports point down only, and every vendor library has one home."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

# What writes a statement; `func` alone does not.
STATEMENTS = frozenset(
    {"text", "select", "insert", "update", "delete", "union", "union_all", "exists", "literal_column"}
)
# The clock asks the database one thing, for everybody: what time it is.
STATEMENTS_ELSEWHERE = {"core/clock.py": {"select"}}
WORKERS = ("agent", "api", "core", "insights", "memory", "platforms", "sandbox", "scheduler", "tools")


def test_the_import_contracts_are_kept(root: Path) -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-logo", "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# One import that each contract forbids; a room gets a module for each.
BREACHES = (
    ("core", "tools.undo"),
    ("scheduler", "memory.checkpoints"),
    ("api", "platforms.base"),
    ("tools", "server"),
    ("sandbox", "core.errors"),
    ("tools", "sandbox.app"),
    ("insights", "httpx"),
    ("tools", "langgraph"),
    ("agent", "fastapi"),
    ("tools", "apscheduler"),
    ("agent", "httpx"),
    ("tools", "psycopg"),
    ("platforms", "sqlalchemy"),
)


def test_the_contracts_notice_every_breach(root: Path, tmp_path: Path) -> None:
    _copy_of_the_rooms(root, tmp_path)
    for number, (room, imported) in enumerate(BREACHES):
        _module(tmp_path, f"{room}.breach_{number}", f"import {imported}")
    done = subprocess.run(
        [sys.executable, "-P", Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "KEPT" not in done.stdout, done.stdout + done.stderr
    unnoticed = [
        f"{room} -> {imported}"
        for number, (room, imported) in enumerate(BREACHES)
        if f"{room}.breach_{number} -> {imported}" not in done.stdout
    ]
    assert not unnoticed, done.stdout


def _copy_of_the_rooms(root: Path, into: Path) -> None:
    """The contracts over rooms that hold just the modules that the contracts name."""
    (into / "pyproject.toml").write_text((root / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    for package in settings["root_packages"]:
        _module(into, package, package=True)
    for contract in settings["contracts"]:
        for allowed in contract.get("ignore_imports", ()):
            importer, _, imported = allowed.partition(" -> ")
            _module(into, importer, f"import {imported}")
        for name in contract["forbidden_modules"] if contract["type"] == "forbidden" else ():
            if "." in name:
                _module(into, name)
    for name in ("tools.undo", "memory.checkpoints", "platforms.base", "core.errors", "sandbox.app", "server", "cli"):
        _module(into, name)


def _module(into: Path, name: str, line: str = "", *, package: bool = False) -> None:
    parts = name.split(".")
    for depth in range(1, len(parts) + package):
        folder = into.joinpath(*parts[:depth])
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    if not package:
        file = into.joinpath(*parts).with_suffix(".py")
        with file.open("a", encoding="utf-8") as module:
            module.write(f"{line}\n")


def test_every_folder_of_code_stands_in_the_contracts(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    folders = {path.parent.name for path in root.glob("*/__init__.py")}
    assert folders == set(settings["root_packages"])


def test_statements_are_written_in_db_alone(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}: {', '.join(sorted(names))}"
        for room in WORKERS
        for path in sorted((root / room).rglob("*.py"))
        if (names := _statements(path) - STATEMENTS_ELSEWHERE.get(str(path.relative_to(root)), set()))
    ]
    assert not found, f"move the statement to db/queries/: {found}"


def _statements(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {name for node in ast.walk(tree) for name in _imported_from_sqlalchemy(node)}
    raw = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"exec_driver_sql", "executemany"}
    }
    return (imported & STATEMENTS) | raw


def _imported_from_sqlalchemy(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlalchemy":
        yield from (alias.name for alias in node.names)


def test_nothing_is_imported_from_a_package_itself(python_files: Sequence[Path], root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    rooms = set(settings["root_packages"])
    wrong = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in python_files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module in rooms
        and any(not _is_module(root / str(node.module) / alias.name) for alias in node.names)
    ]
    assert not wrong, wrong


def _is_module(place: Path) -> bool:
    return place.is_dir() or place.with_suffix(".py").is_file()
