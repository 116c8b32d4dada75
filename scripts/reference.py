"""Writes docs/reference/ from the code: `make docs`. The tests fail when a page is not what this would write."""

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import typer.main
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.core import TyperCommand, TyperGroup, TyperOption

import api
import cli
from api import commands
from core.settings import Settings
from platforms.base import Manifest, Quota
from platforms.bluesky.manifest import MANIFEST as BLUESKY
from platforms.facebook.manifest import MANIFEST as FACEBOOK
from platforms.instagram.manifest import MANIFEST as INSTAGRAM
from platforms.tiktok.manifest import MANIFEST as TIKTOK
from scripts.error_codes import Found, collect
from tools.command import AnyCommand
from tools.commands import catalog

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
_NOTE = "<!-- Written by `make docs` from the code: change it there. -->"
# Read where no settings are: by the programs that start PostgreSQL.
_ELSEWHERE = {"STUDIO_PG_BIN": "bin folder of another PostgreSQL for the embedded database; empty = the one installed"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def pages() -> dict[Path, str]:
    """Every page of the reference, as it ought to be."""
    written = {
        "settings.md": _page("Settings", _settings()),
        "commands.md": _page("Commands", _commands()),
        "http.md": _page("HTTP", _routes()),
        "errors.md": _page("Errors", _errors()),
        "terminal.md": _page("Terminal", _terminal()),
        "networks.md": _page("Networks", _networks((INSTAGRAM, FACEBOOK, TIKTOK, BLUESKY))),
    }
    return {FOLDER / name: text for name, text in written.items()}


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([f"# {title}", "", _NOTE, "", *lines]).rstrip() + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _settings() -> Iterator[str]:
    yield "Environment variables; a file `.env` in the working directory is read too. A duration is `90s`, `15m`, `6h`,"
    yield "`2d` or plain seconds. `studio doctor` prints the values in force, secrets masked."
    yield ""
    yield from _table("name", "default", "meaning")
    for name, field in Settings.model_fields.items():
        yield _row(f"`{setting_name(name, field)}`", default_of(field), field.description or "")
    for name, meaning in _ELSEWHERE.items():
        yield _row(f"`{name}`", "empty", meaning)


def setting_name(name: str, field: FieldInfo) -> str:
    """The environment variable of a field of Settings."""
    return str(field.validation_alias or f"STUDIO_{name.upper()}")


def default_of(field: FieldInfo) -> str:
    """A default as people write it."""
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    match value:
        case "":
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{_duration(value)}`"
        case Path():
            return f"`./{value}`"
        case _:
            return f"`{value}`"


def _duration(seconds: float) -> str:
    for length, unit in ((_DAY, "d"), (_HOUR, "h")):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"


def _commands() -> Iterator[str]:
    yield "Everything Studio can do. The agent, the REST API and the terminal call these and nothing else;"
    yield "`GET /v1/commands` answers them with their JSON Schemas. The effect decides who may do it and what asks a"
    yield "person first: `read` looks, `write` changes records, `schedule` lets a post go out later, and what is"
    yield "`irreversible` cannot be taken back."
    for command in catalog().commands:
        yield from ["", f"## {command.name}", "", f"{command.title}. {command.description}", ""]
        yield _facts(command)
        yield from ["", *_arguments(command)]


def _facts(command: AnyCommand) -> str:
    facts = [f"Effect: `{command.effect}`.", f"Route: `{command.rest}`." if command.rest else "No route of its own."]
    if not command.agent:
        facts.append("Not shown to the agent.")
    if command.aliases:
        facts.append(f"Also called {', '.join(f'`{alias}`' for alias in command.aliases)}.")
    return " ".join(facts)


def _arguments(command: AnyCommand) -> Iterator[str]:
    fields = command.arguments.model_fields
    if not fields:
        yield "It takes no arguments."
        return
    yield from _table("argument", "required", "meaning")
    for name, field in fields.items():
        yield _row(f"`{field.alias or name}`", "yes" if field.is_required() else "", field.description or "")


def _routes() -> Iterator[str]:
    yield "JSON is snake_case, times are RFC 3339 with an offset, errors are problem+json ([errors](errors.md))."
    yield "`Authorization: Bearer <API key>`, or the session cookie of a signed-in browser. `Idempotency-Key` is"
    yield "honoured on every POST under /v1. `/openapi.json` has every field."
    yield ""
    yield from _table("route", "what")
    for method, path, what in sorted(route_lines(), key=lambda line: (line[1], line[0])):
        yield _row(f"`{method} {path}`", what)


def route_lines() -> Iterator[tuple[str, str, str]]:
    """Method, path and meaning of every route of the application; command routes say their command's title."""
    titles = {command.name: f"{command.title} (`{command.name}`)" for command in catalog().commands}
    found = [getattr(import_module(each.name), "router", None) for each in iter_modules(api.__path__, "api.")]
    routers = [each for each in found if isinstance(each, APIRouter)] + [commands.router(catalog())]
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            what = titles.get(route.name) or _first_sentence(route.endpoint)
            yield from ((method, route.path, what) for method in sorted((route.methods or set()) - {"HEAD"}))
    yield "GET", "/openapi.json", "The API's description (OpenAPI 3)."


def _first_sentence(function: object) -> str:
    return (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")


def _errors() -> Iterator[str]:
    found = collect(ROOT)
    yield "`code` is stable and for machines; the sentence and the way out that come with it are for people. `…` stands"
    yield "for what the message names. A code without a status is not an answer of the API: it stands in a post's"
    yield "`last_error`, in `problems` of another error, or is said by the terminal."
    yield ""
    yield from _table("code", "status", "says", "the way out")
    for code in sorted(found):
        yield _row(f"`{code}`", *_meaning(found[code]))


def _meaning(cases: list[Found]) -> tuple[str, str, str]:
    statuses = sorted({str(case.status) for case in cases if case.status is not None})
    says = list(dict.fromkeys(case.message for case in cases if case.message))
    actions = list(dict.fromkeys(case.action for case in cases if case.action))
    return ", ".join(statuses), " / ".join(says), " / ".join(actions)


def _terminal() -> Iterator[str]:
    yield "The program `.venv/bin/studio`; each command says more with `--help`."
    yield ""
    yield from _table("command", "does")
    for name, command in terminal_commands():
        yield _row(f"`studio {name}`", (command.help or "").split("\n\n")[0])
        for parameter in command.params:
            if isinstance(parameter, TyperOption) and parameter.help and parameter.name != "help":
                written = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
                yield _row(f"`studio {name}` {written}", parameter.help)


def terminal_commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every command of the program with its name as typed ("keys create")."""
    yield from _leaves(typer.main.get_command(cli.app), "")


def _leaves(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for part, child in command.commands.items():
            yield from _leaves(child, f"{name} {part}".strip())
    elif isinstance(command, TyperCommand):
        yield name, command


def _for(quota: Quota) -> str:
    if quota.is_for_all:
        return "every post: the account waits when it is used up"
    return f"posts with {', '.join(sorted(quota.formats | quota.options))}: others go on"


def _networks(manifests: tuple[Manifest, ...]) -> Iterator[str]:
    yield "What Studio can do on each network, and what it cannot and why; the agent reads the same words."
    for manifest in manifests:
        yield from ["", f"## {manifest.title}", "", *_table("format", "media", "characters")]
        for rules in manifest.formats:
            count = (
                f"{rules.min_media}" if rules.min_media == rules.max_media else f"{rules.min_media}-{rules.max_media}"
            )
            yield _row(rules.name, f"{count} ({', '.join(sorted(rules.kinds))})", f"{rules.max_text:,}")
        if manifest.quotas:
            yield from ["", *_table("at most, for each account", "for")]
            yield from (_row(f"{quota.limit} {quota.name}", _for(quota)) for quota in manifest.quotas)
        yield from ["", *_table("can", "shown by")]
        yield from (_row(ability.name, ability.proven_by) for ability in manifest.can)
        yield from ["", *_table("cannot", "because")]
        yield from (_row(name, reason) for name, reason in manifest.cannot.items())


def main() -> int:
    """Write every page; says which ones changed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"docs: {path.relative_to(ROOT)} is new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
