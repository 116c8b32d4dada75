"""studio doctor: what is wrong with an installation, and what to do about it."""

import ipaddress
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from core.errors import StudioError
from core.settings import OFFLINE_MODEL, Settings
from core.storage import DirectoryStore
from core.vault import Vault
from db import migrate
from db.engine import Database
from db.models.base import SCHEMA
from db.queries import accounts, people
from tools.accounts.choose import account_label
from tools.installation.open_files import NEEDED, raise_limit
from tools.installation.prepare import Progress, open_database, secret_keys

_LOW_DISK = 1_000_000_000
_SOON = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at; ``action`` is None when nothing has to be done."""

    about: str
    level: Literal["ok", "warning", "error"]
    message: str
    action: str | None = None


async def examine(settings: Settings, *, progress: Progress) -> Sequence[Finding]:
    """Look at everything; a part that cannot be looked at is a finding too."""
    findings = [_python(), _disk(settings), _open_files(), _publishing(settings), _secrets(settings)]
    findings.append(await _media(settings))
    findings.extend(await _database(settings, progress))
    findings.append(await _model(settings))
    findings.append(await _public_address(settings))
    findings.append(await _server(settings))
    return findings


def settings_in_force(settings: Settings) -> Sequence[tuple[str, str]]:
    """Every setting with its value, secrets masked."""
    shown: list[tuple[str, str]] = []
    for name, field in type(settings).model_fields.items():
        value: object = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = "********" if value.get_secret_value() else ""
        alias = field.validation_alias
        shown.append((alias if isinstance(alias, str) else f"STUDIO_{name.upper()}", str(value)))
    return shown


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(about="Python", level="ok", message=version)


def _disk(settings: Settings) -> Finding:
    directory = settings.data_dir if settings.data_dir.exists() else settings.data_dir.resolve().parent
    free = shutil.disk_usage(directory).free
    message = f"{free / 1e9:.1f} GB free at {directory}"
    if free < _LOW_DISK:
        action = "Free some space, or move the data directory with STUDIO_DATA_DIR."
        return Finding(about="Disk", level="warning", message=message, action=action)
    return Finding(about="Disk", level="ok", message=message)


def _open_files() -> Finding:
    limit = raise_limit()
    if limit < NEEDED:
        action = f"Let it have {NEEDED} (ulimit -n, LimitNOFILE=): posts wait for each other otherwise."
        return Finding(about="Open files", level="warning", message=f"at most {limit}", action=action)
    return Finding(about="Open files", level="ok", message=f"at most {limit}")


def _publishing(settings: Settings) -> Finding:
    lease, settle = settings.publish_lease, settings.settle_time
    message = f"lease {lease:g} s, settle time {settle:g} s, grace {settings.publish_grace / 3600:g} h"
    if settle < lease:
        action = "Set STUDIO_SETTLE_TIME to more than STUDIO_PUBLISH_LEASE: a call under way could be made again."
        return Finding(about="Publishing", level="error", message=message, action=action)
    return Finding(about="Publishing", level="ok", message=message)


def _told(about: str, error: StudioError) -> Finding:
    return Finding(about=about, level="error", message=error.message, action=error.action)


def _secrets(settings: Settings) -> Finding:
    try:
        vault = Vault(secret_keys(settings))
    except StudioError as error:
        return _told("Sealing keys", error)
    count = len(vault.key_ids)
    where = "STUDIO_SECRET_KEYS" if settings.secret_keys.get_secret_value() else str(settings.data_dir / "secret.keys")
    return Finding(about="Sealing keys", level="ok", message=f"{count} in {where}; newest {vault.key_ids[0]}")


async def _media(settings: Settings) -> Finding:
    try:
        await DirectoryStore(settings.data_dir / "media").probe()
    except StudioError as error:
        return _told("Media store", error)
    return Finding(about="Media store", level="ok", message=str(settings.data_dir / "media"))


@asynccontextmanager
async def _opened(settings: Settings, progress: Progress) -> AsyncIterator[str]:
    cluster, url = await open_database(settings, progress)
    try:
        yield url
    finally:
        if cluster is not None:
            cluster.close()


async def _database(settings: Settings, progress: Progress) -> Sequence[Finding]:
    kind = "external" if settings.database_url.get_secret_value() else "embedded"
    try:
        async with _opened(settings, progress) as url:
            async with migrate.migration_lock(url, patience=10):
                pass
            revision = await migrate.current_revision(url)
            newest = migrate.newest_revision()
            if revision != newest:
                message = f"{kind}, its schema is at {revision or 'nothing'} and should be at {newest}"
                return [Finding(about="PostgreSQL", level="warning", message=message, action="Run: studio migrate")]
            found = [Finding(about="PostgreSQL", level="ok", message=f"{kind}, schema {revision}")]
            return [*found, *await _accounts(url)]
    except StudioError as error:
        return [_told("PostgreSQL", error)]


async def _accounts(url: str) -> Sequence[Finding]:
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"options": f"-c search_path={SCHEMA}"})
    async with engine.connect() as connection:
        workspaces = await people.all_workspaces(connection)
    await engine.dispose()
    database, findings = Database(url, pool_size=1), []
    now = datetime.now(UTC)
    for workspace_id in workspaces:
        async with database.session(workspace_id) as session:
            for account in await accounts.all_accounts(session):
                name, ends = account_label(account), account.token_expires_at
                reconnect = "Connect the account again: POST /v1/accounts with a fresh token."
                if account.status != "connected":
                    message = f"its state is {account.status}"
                    findings.append(Finding(about=name, level="error", message=message, action=reconnect))
                elif ends is not None and ends < now + _SOON:
                    message = f"its token ends on {ends:%Y-%m-%d %H:%M} UTC"
                    findings.append(Finding(about=name, level="warning", message=message, action=reconnect))
                else:
                    findings.append(Finding(about=name, level="ok", message="connected"))
    await database.close()
    if not findings:
        action = "Connect one with POST /v1/accounts, or try the demo: make run"
        findings.append(Finding(about="Accounts", level="warning", message="none is connected", action=action))
    return findings


async def _model(settings: Settings) -> Finding:
    if settings.model_name == OFFLINE_MODEL:
        message = "the offline model: it understands plain commands and is no LLM"
        action = "For a language model set OPENAI_API_KEY (or OPENAI_BASE_URL) and STUDIO_MODEL."
        return Finding(about="Model", level="ok", message=message, action=action)
    base = (settings.openai_base_url or "https://api.openai.com/v1").rstrip("/")
    headers = {"Authorization": f"Bearer {settings.openai_api_key.get_secret_value() or 'none'}"}
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{base}/models", headers=headers)
    except httpx.HTTPError as error:
        message = f"{settings.model_name} at {base} does not answer ({type(error).__name__})"
        return Finding(about="Model", level="error", message=message, action="Check OPENAI_BASE_URL and the network.")
    if answer.status_code in {401, 403}:
        message = f"{base} refuses the key ({answer.status_code})"
        return Finding(about="Model", level="error", message=message, action="Check OPENAI_API_KEY.")
    return Finding(about="Model", level="ok", message=f"{settings.model_name} at {base}")


async def _public_address(settings: Settings) -> Finding:
    """Can the world reach us? Networks that fetch media (Instagram) must."""
    base = settings.public_base
    host = urlsplit(base).hostname or ""
    action = "Set STUDIO_PUBLIC_URL to an https address that the world can reach (a domain or a tunnel)."
    if _is_private(host):
        if settings.facebook_graph_url.startswith(("http://127.", "http://localhost")):
            message = f"{base} is private, which is enough for the sandbox"
            return Finding(about="Public address", level="ok", message=message)
        message = f"{base} is private: Instagram cannot fetch images from it"
        return Finding(about="Public address", level="error", message=message, action=action)
    try:
        async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
            answer = await client.get(f"{base}/healthz")
    except httpx.HTTPError as error:
        message = f"{base} does not answer ({type(error).__name__})"
        return Finding(about="Public address", level="error", message=message, action=action)
    if answer.status_code != httpx.codes.OK:
        message = f"{base}/healthz answers {answer.status_code}, so that address is not this Studio"
        return Finding(about="Public address", level="warning", message=message, action=action)
    return Finding(about="Public address", level="ok", message=base)


async def link_trouble(url: str) -> str | None:
    """Why a signed link of ours does not work from here, None when it does; the bytes themselves are not asked for."""
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.head(url)
    except httpx.HTTPError as error:
        return f"nothing answers there ({type(error).__name__})."
    if answer.status_code != httpx.codes.OK:
        # TikTok takes no redirect, and a sign-in page in front of it would be one.
        return f"it answers {answer.status_code}, so that address does not lead to this Studio."
    return None


def _is_private(host: str) -> bool:
    """Whether a host name leads to no public address."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return not any(ipaddress.ip_address(address.split("%")[0]).is_global for address in found)


async def _server(settings: Settings) -> Finding:
    url = settings.url or f"http://{settings.host}:{settings.port}"
    try:
        async with httpx.AsyncClient(timeout=3) as client:
            answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        message = f"nothing answers at {url}"
        return Finding(about="Server", level="warning", message=message, action="Start it: studio serve (or make run)")
    if answer.status_code != httpx.codes.OK:
        return Finding(about="Server", level="error", message=f"{url} is up but not ready", action="See its log.")
    return Finding(about="Server", level="ok", message=f"answers at {url}")
