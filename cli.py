"""`studio …`: everything that can be done to a Studio from a terminal.

A command imports what it needs when it runs: `studio ask` answers without loading the server first.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
import uvloop
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api import terminal
from api.client import Server
from core import log
from core.errors import InvalidInput, Misconfigured, StudioError
from core.owner_key import known_owner_key
from core.settings import Settings
from core.vault import generate_key

if TYPE_CHECKING:
    from tools.installation.prepare import Installation

RoleName = Literal["owner", "editor", "approver", "viewer"]

app = typer.Typer(
    help="Studio: a conversational agent server for social media.", no_args_is_help=True, add_completion=False
)
keys_app = typer.Typer(help="API keys, sign-in links and sealing keys.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def _settings(**changes: object) -> Settings:
    try:
        return Settings(**changes)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "STUDIO_" + "_".join(str(part) for part in first["loc"]).upper()
        raise Misconfigured(
            f"{name}: {first['msg'].removeprefix('Value error, ')}.",
            code="setting_invalid",
            action="Correct it in the environment or in .env; the settings are listed by: studio doctor",
        ) from None


def _progress(message: str) -> None:
    err.print(f"[dim]studio:[/dim] {escape(message)}", soft_wrap=True)


def _run(work: Coroutine[object, object, int | None]) -> None:
    """Run a command to its end; an error of Studio's own is two lines, not a traceback."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(work)
    except StudioError as error:
        terminal.show_error(err, error)
        code = 1
    except KeyboardInterrupt:
        code = 130
    if code:
        raise typer.Exit(code)


def _tell_key(installation: "Installation") -> None:
    if installation.is_new and installation.owner_key and not installation.settings.bootstrap_key.get_secret_value():
        _progress(f"your API key, shown this once (kept in {installation.settings.data_dir}/owner.key):")
        out.print(installation.owner_key, style="bold")


@app.command()
def serve(
    scheduler: Annotated[bool, typer.Option(help="publish what is due in this process")] = True,  # noqa: FBT002
) -> None:
    """API and scheduler in one process."""
    log.configure()

    async def run() -> None:
        import server

        await server.serve(_settings(), progress=_progress, publishes=scheduler, started=_tell_key)

    _run(run())


@app.command()
def worker() -> None:
    """The scheduler alone, to add machines."""
    log.configure()

    async def run() -> None:
        import server

        await server.work(_settings(), progress=_progress)

    _run(run())


@app.command()
def demo(
    sandbox_port: Annotated[int, typer.Option(help="port of the pretend networks")] = 8001,
    reset: Annotated[bool, typer.Option("--reset", help="forget everything of the demo first")] = False,  # noqa: FBT002
) -> None:
    """The pretend networks and Studio together, with example data."""
    log.configure("WARNING")
    base = f"http://127.0.0.1:{sandbox_port}"

    async def run() -> None:
        import server

        settings = _settings(
            facebook_graph_url=f"{base}/facebook-graph",
            instagram_graph_url=f"{base}/instagram-graph",
            meta_upload_url=f"{base}/meta-upload",
            tiktok_api_url=f"{base}/tiktok",
            bluesky_pds_url=f"{base}/bluesky",
            bluesky_web_url=base,
            allow_private_media=True,
            host="127.0.0.1",
        )
        if reset:
            from tools.demo.reset import forget

            _progress("starting over" if forget(settings) else "there was nothing to forget")
        await server.demo(settings, progress=_progress, sandbox_port=sandbox_port)

    _run(run())


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="where to listen on 127.0.0.1")] = 8001,
    state: Annotated[Path | None, typer.Option(help="file that keeps its state; none = in memory")] = None,
) -> None:
    """The pretend networks alone."""
    log.configure("WARNING")

    async def run() -> None:
        from api.serving import beside
        from sandbox.app import create_app as create_sandbox

        async with beside(create_sandbox(state_file=state), port) as url:
            _progress(f"the sandbox answers at {url}; end with Ctrl-C")
            await asyncio.Event().wait()

    _run(run())


@app.command()
def migrate() -> None:
    """Bring the database schema up to date."""

    async def run() -> None:
        from tools.installation.prepare import prepare

        installation = await prepare(_settings(), progress=_progress)
        installation.close()
        _progress("the schema is up to date")
        _tell_key(installation)

    _run(run())


def _server(settings: Settings) -> Server:
    key = settings.api_key.get_secret_value() or known_owner_key(settings)
    if not key:
        raise Misconfigured(
            "There is no API key to connect with.",
            code="no_api_key",
            action="Start Studio once in this directory (make run), or set STUDIO_URL and STUDIO_API_KEY.",
        )
    return Server(url=settings.url or f"http://{settings.host}:{settings.port}", key=SecretStr(key))


def _state_file(settings: Settings) -> Path:
    return settings.data_dir / "terminal.json"


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="what you want, in your words")] = "",
    approve: Annotated[str, typer.Option(help="say yes to what waits under this id")] = "",
    reject: Annotated[str, typer.Option(help="say no to it")] = "",
    new: Annotated[bool, typer.Option("--new", help="begin a new conversation")] = False,  # noqa: FBT002
) -> None:
    """Say one sentence to a running server."""

    async def run() -> int:
        settings = _settings()
        if approve or reject:
            decision = "approve" if approve else "reject"
            return await terminal.decide(_server(settings), approve or reject, decision, console=out)
        if not text.strip():
            raise Misconfigured("Say what you want.", action='For example: studio ask "what is scheduled this week?"')
        person = sys.stdin.isatty() and sys.stdout.isatty()
        read = (lambda prompt: out.input(prompt, markup=False)) if person else None
        state = _state_file(settings)
        return await terminal.ask(_server(settings), text, console=out, state_file=state, new=new, read=read)

    _run(run())


@app.command()
def chat() -> None:
    """Talk with a running server."""
    try:
        settings = _settings()
        code = terminal.chat(_server(settings), console=out, state_file=_state_file(settings))
    except StudioError as error:
        terminal.show_error(err, error)
        code = 1
    if code:
        raise typer.Exit(code)


@app.command()
def doctor() -> None:
    """What is wrong with this installation, and what to do."""

    async def run() -> int:
        from tools.installation import doctor as checks

        findings = await checks.examine(_settings(), progress=lambda _message: None)
        for finding in findings:
            mark, style = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✕", "red")}[finding.level]
            out.print(f"[{style}]{mark}[/{style}] {finding.about}: {finding.message}", soft_wrap=True)
            if finding.action:
                out.print(f"    [dim]{finding.action}[/dim]", soft_wrap=True)
        out.print()
        table = Table("setting", "value", box=None, header_style="dim")
        for name, value in checks.settings_in_force(_settings()):
            table.add_row(name, value)
        out.print(table)
        return 1 if any(finding.level == "error" for finding in findings) else 0

    _run(run())


@app.command("eval")
def evaluate(
    sets: Annotated[list[str] | None, typer.Argument(help="sets of evals/; none = all of them")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="ask only so many sentences of each set")] = None,
) -> None:
    """How well the configured model understands: accuracy, wrong acts, tokens and cost."""

    async def run() -> None:
        try:
            from evals import live
            from evals.cases import SETS
        except ModuleNotFoundError as missing:
            if missing.name is None or not missing.name.startswith("evals"):
                raise
            raise Misconfigured(
                "The eval sentences are not part of an installation.",
                code="evals_not_here",
                action="Run this in a clone of Studio's repository.",
            ) from None
        if unknown := [name for name in sets or () if name not in SETS]:
            raise InvalidInput(f"There is no set {unknown[0]}.", action=f"Use some of: {', '.join(SETS)}.")
        settings = _settings()
        _progress(f"asking {settings.model_name}")
        report = await asyncio.to_thread(live.evaluate, settings, sets or SETS, most=most)
        out.print(report, markup=False, soft_wrap=True)

    _run(run())


@contextlib.asynccontextmanager
async def _installation() -> AsyncIterator["Installation"]:
    """The installation of this directory or of the set database, for a command that needs no server."""
    from tools.installation.prepare import prepare

    installation = await prepare(_settings(), progress=lambda _message: None)
    try:
        yield installation
    finally:
        installation.close()


@keys_app.command("list")
def keys_list() -> None:
    """The API keys of the workspace."""

    async def run() -> None:
        from tools.installation import keys as key_desk

        async with _installation() as installation:
            rows = await key_desk.list_keys(installation)
        table = Table("prefix", "name", "who", "role", "made", "state", box=None, header_style="dim")
        for row in rows:
            state = "revoked" if row.revoked_at else "live"
            table.add_row(row.prefix, row.name, row.user, row.role, f"{row.created_at:%Y-%m-%d}", state)
        out.print(table)

    _run(run())


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="what the key is for")],
    user: Annotated[str | None, typer.Option(help="make a new person with this name")] = None,
    role: Annotated[RoleName, typer.Option(help="what that person may do")] = "editor",
) -> None:
    """Make an API key: the first owner's, or that of a new person. It is shown once."""

    async def run() -> None:
        from tools.context import Role
        from tools.installation import keys as key_desk

        async with _installation() as installation:
            made = await key_desk.create_key(installation, name=name, user=user, role=Role(role))
        _progress(f"a key of {made.user} ({made.role}), shown this once:")
        out.print(made.key, style="bold")

    _run(run())


@keys_app.command("revoke")
def keys_revoke(prefix: Annotated[str, typer.Argument(help="its prefix, as `studio keys list` shows it")]) -> None:
    """Make an API key stop working."""

    async def run() -> None:
        from tools.installation import keys as key_desk

        async with _installation() as installation:
            await key_desk.revoke_key(installation, prefix)
        _progress(f"{prefix}… no longer works")

    _run(run())


@keys_app.command("link")
def keys_link() -> None:
    """A one-time link that signs a browser in as the first owner."""

    async def run() -> None:
        from tools.installation import keys as key_desk

        async with _installation() as installation:
            out.print(await key_desk.sign_in_link(installation), soft_wrap=True)

    _run(run())


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Add a new sealing key in front of the old ones. Restart every process, then: studio keys reseal."""

    async def run() -> None:
        from tools.installation import keys as key_desk

        async with _installation() as installation:
            path = key_desk.add_sealing_key(installation)
        _progress(f"a new key stands first in {path}; restart every Studio process, then run: studio keys reseal")

    _run(run())


@keys_app.command("reseal")
def keys_reseal() -> None:
    """Seal every stored token with the newest sealing key."""

    async def run() -> None:
        from tools.installation import keys as key_desk

        async with _installation() as installation:
            changed = await key_desk.reseal(installation)
        _progress(f"{changed} accounts are sealed with the newest key; older keys may go once backups have aged out")

    _run(run())


@keys_app.command("generate-secret")
def keys_generate_secret() -> None:
    """Print a new key for STUDIO_SECRET_KEYS."""
    out.print(generate_key(), soft_wrap=True)


def main() -> None:
    """The entry point of `studio`."""
    sys.exit(app())


if __name__ == "__main__":
    main()
