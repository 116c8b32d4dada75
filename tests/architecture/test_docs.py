"""Documentation is tested: nothing without its paragraph, no paragraph without its thing, no dead link."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.settings import Settings, parse_duration
from scripts.error_codes import sources
from scripts.reference import pages, route_lines, terminal_commands
from tools.command import AnyCommand
from tools.commands import catalog

TERMS = (
    "platform", "format", "asset", "account", "post", "idea", "workspace", "approval", "on_busy", "interrupt",
    "unknown", "unconfirmed",
)  # fmt: skip
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# The codes that a line of source spells out, as a person would look for them.
PLAIN_CODE = re.compile(r"\b(?:code|default_code(?:: ClassVar\[str\])?)\s*=\s*\"([a-z_]+)\"")
VARIABLE = re.compile(r"\bSTUDIO_[A-Z][A-Z_]*[A-Z]\b")


def reference(root: Path, name: str) -> str:
    return (root / "docs/reference" / name).read_text(encoding="utf-8")


def rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell, without its backticks."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in page.splitlines() if line[:1] == "|"]
    return {row[0].strip("` "): row[1:] for row in cells}


def test_the_reference_is_what_the_code_says(root: Path) -> None:
    stale = [
        str(path.relative_to(root))
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "write them anew with: make docs"


def test_every_setting_has_its_row_and_every_row_its_setting(root: Path) -> None:
    written = rows(reference(root, "settings.md"))
    names = {str(field.validation_alias or f"STUDIO_{name.upper()}") for name, field in Settings.model_fields.items()}
    assert names | {"STUDIO_PG_BIN"} == {name for name in written if name.isupper()}


def test_the_defaults_of_the_page_are_the_defaults_in_force(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = rows(reference(root, "settings.md"))
    for name in written:
        monkeypatch.delenv(name, raising=False)
    settings = Settings(_env_file=None)
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        said = written[str(field.validation_alias or f"STUDIO_{name.upper()}")][0].strip("`")
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, float):
            assert parse_duration(said) == value, name
        elif isinstance(value, Path):
            assert Path(said) == value, name
        else:
            assert said == {"": "empty", "False": "false"}.get(str(value), str(value)), name


def test_every_variable_that_the_source_names_is_documented(root: Path) -> None:
    written = set(rows(reference(root, "settings.md")))
    named = {name for path in sources(root) for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    assert not named - written


@pytest.mark.parametrize("command", catalog().commands, ids=lambda command: command.name)
def test_every_command_has_its_paragraph(root: Path, command: AnyCommand) -> None:
    page = reference(root, "commands.md")
    paragraph = page.partition(f"\n## {command.name}\n")[2].partition("\n## ")[0]
    assert command.title in paragraph
    assert (command.rest or "No route") in paragraph
    assert not [name for name in command.arguments.model_fields if f"`{name}`" not in paragraph]


def test_every_argument_of_a_command_says_what_it_means() -> None:
    silent = [
        f"{command.name}.{name}"
        for command in catalog().commands
        for name, field in command.arguments.model_fields.items()
        if not field.description
    ]
    assert not silent


def test_every_error_code_has_its_row(root: Path) -> None:
    written = set(rows(reference(root, "errors.md")))
    given = {code for path in sources(root) for code in PLAIN_CODE.findall(path.read_text(encoding="utf-8"))}
    assert len(given) > 50
    assert not given - written


def test_every_route_has_its_row_and_says_what_it_does(root: Path) -> None:
    written = rows(reference(root, "http.md"))
    routes = {f"{method} {path}": what for method, path, what in route_lines()}
    assert {command.rest for command in catalog().commands if command.rest} <= set(routes)
    assert set(routes) <= set(written)
    assert not [route for route, what in routes.items() if not what]


def test_every_terminal_command_has_its_row_and_says_what_it_does(root: Path) -> None:
    written = rows(reference(root, "terminal.md"))
    names = [name for name, _ in terminal_commands()]
    assert {"serve", "worker", "demo", "sandbox", "ask", "chat", "migrate", "doctor"} <= set(names)
    assert not [name for name in names if not written[f"studio {name}"][0]]


def test_every_link_between_documents_leads_somewhere(project_files: Sequence[Path], root: Path) -> None:
    dead = [
        f"{path.relative_to(root)}: {target}"
        for path in project_files
        if path.suffix == ".md"
        for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
        if not target.startswith(("https://", "http://", "mailto:")) and not _leads_somewhere(path, target)
    ]
    assert not dead


def _leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = (page.parent / name) if name else page
    if not file.exists():
        return False
    return not anchor or anchor in {_anchor(title) for title in HEADING.findall(file.read_text(encoding="utf-8"))}


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md"])
def test_a_command_that_a_document_gives_exists(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    programs = {command for command, _ in terminal_commands()} | {"keys"}
    spoken = list(_commands_in(text))
    assert spoken
    assert not [line for line in spoken if not _exists(line, targets, programs)]


def _commands_in(text: str) -> Iterator[str]:
    """`make …` and `studio …` as a person would type them: in backticks, or as a line of a listing."""
    yield from re.findall(r"`((?:make|studio) [^`]*)`", FENCE.sub("", text))
    for listing in FENCE.findall(text):
        for line in listing.splitlines():
            yield from re.findall(r"^\$? ?((?:make|studio) .*)$", line.replace(".venv/bin/", ""))


def _exists(line: str, targets: set[str], programs: set[str]) -> bool:
    program, first, second = (*line.split(), "", "")[:3]
    if first.startswith(("…", "-")):
        return True
    return first in targets if program == "make" else first in programs or f"{first} {second}" in programs


def test_the_glossary_binds_the_terms(root: Path) -> None:
    glossary = (root / "docs/glossary.md").read_text(encoding="utf-8")
    assert not [term for term in TERMS if not re.search(rf"^\*\*`?{term}`?\*\*", glossary, re.MULTILINE)]


def test_the_decisions_are_numbered_without_gaps(root: Path) -> None:
    numbers = sorted(int(path.name[:4]) for path in (root / "docs/adr").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


def test_every_decision_has_the_same_parts(root: Path) -> None:
    incomplete = [
        f"{path.name}: {part}"
        for path in sorted((root / "docs/adr").glob("[0-9]*.md"))
        for part in ("## Context", "## Decision", "## Consequences", "## Alternatives")
        if part not in path.read_text(encoding="utf-8")
    ]
    assert not incomplete


def test_the_architecture_fits_two_screens(root: Path) -> None:
    lines = (root / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 110
    assert {"To add a command", "To add a platform"} <= {line.lstrip("# ") for line in lines if line.startswith("#")}
