"""list_accounts, connect_account, disconnect_account."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from core.errors import InvalidInput, Unavailable
from core.ids import new_id
from core.jsontypes import JsonObject
from core.vault import token_context
from db.models.account import Account
from db.queries import accounts, calls
from platforms.base import Credentials, Identity
from platforms.errors import OutcomeUnknown, PlatformError, Transient
from tools.accounts.choose import account_label, choose_account
from tools.command import Arguments, Effect, Result, command
from tools.context import Context


class AccountView(BaseModel):
    """A connected account. Tokens are never shown; ``token_expires_at`` null = the network gave no end."""

    model_config = ConfigDict(frozen=True)

    id: str
    platform: str
    external_id: str
    handle: str
    status: str
    token_expires_at: datetime | None
    scopes: str | None
    formats: tuple[str, ...] = Field(description="what can be posted there")
    created_at: datetime


class AccountList(Result):
    """The workspace's accounts."""

    items: tuple[AccountView, ...]
    next_cursor: None = None


class AccountReceipt(Result):
    """One account after a change."""

    account: AccountView


class ListAccounts(Arguments):
    """Arguments of list_accounts."""

    platform: str | None = Field(None, description="only this network")


class ConnectAccount(Arguments):
    """Arguments of connect_account: a token in hand, from the network's own developer pages or a login."""

    platform: str = Field(description="the network, such as instagram")
    external_id: str = Field(min_length=1, max_length=200, description="the account's id at the network")
    handle: str | None = Field(None, max_length=200, description="its handle; asked of the network when left out")
    access_token: SecretStr = Field(min_length=1, max_length=8192, description="the token to act with; kept sealed")
    refresh_token: SecretStr | None = Field(
        None, max_length=8192, description="what a new token is asked with; null where the network gives none"
    )
    expires_at: datetime | None = Field(None, description="when the access token ends; null = unknown")
    scopes: str | None = Field(None, max_length=2000, description="what the token allows, as the network lists it")
    metadata: dict[str, object] = Field(default_factory=dict, description="`login`: facebook or instagram")


class DisconnectAccount(Arguments):
    """Arguments of disconnect_account."""

    account_id: str = Field(
        validation_alias=AliasChoices("account_id", "account"), description="the account's id or @handle"
    )


def account_view(context: Context, account: Account) -> AccountView:
    """The record of an account."""
    adapter = context.doors.adapters.get(account.platform)
    return AccountView(
        id=str(account.id),
        platform=account.platform,
        external_id=account.external_id,
        handle=account.handle,
        status=account.status,
        token_expires_at=account.token_expires_at,
        scopes=account.scopes,
        formats=tuple(rules.name for rules in adapter.manifest.formats) if adapter else (),
        created_at=account.created_at,
    )


@command(title="List accounts", effect=Effect.READ, rest="GET /v1/accounts")
async def list_accounts(context: Context, arguments: ListAccounts) -> AccountList:
    """List the connected social media accounts and what can be posted on each."""
    found = [
        account
        for account in await accounts.all_accounts(context.session)
        if arguments.platform is None or account.platform == arguments.platform.lower()
    ]
    return AccountList(summary=_listed(found), items=tuple(account_view(context, account) for account in found))


def _listed(found: Sequence[Account]) -> str:
    if not found:
        return "No account is connected."
    states = [
        account_label(account) + ("" if account.status == "connected" else f" ({account.status})") for account in found
    ]
    return f"{len(found)} connected {'account' if len(found) == 1 else 'accounts'}: {', '.join(states)}."


async def ask_identity(context: Context, arguments: ConnectAccount) -> Identity:
    """Ask the network whose token this is, before it is kept."""
    platform = arguments.platform.lower()
    adapter = context.doors.adapters.get(platform)
    if adapter is None:
        known = ", ".join(context.doors.adapters)
        raise InvalidInput(f"Studio has no network {arguments.platform!r}.", action=f"Use one of: {known}.")
    credentials = Credentials(
        external_id=arguments.external_id,
        handle=arguments.handle or "",
        access_token=arguments.access_token.get_secret_value(),
        login=_login(arguments),
        metadata=cast("JsonObject", arguments.metadata),
    )
    try:
        return await adapter.identify(credentials)
    except (Transient, OutcomeUnknown) as error:
        raise Unavailable(
            f"{adapter.manifest.title} does not answer now: {error.message}",
            code="platform_unavailable",
            action="Try again in a minute.",
            retry_after=error.retry_after,
        ) from error
    except PlatformError as error:
        raise InvalidInput(
            f"{adapter.manifest.title} does not accept this token: {error.message}",
            code="token_refused",
            action="Get a fresh token for this account, then connect it again.",
        ) from error


def _login(arguments: ConnectAccount) -> str | None:
    login = arguments.metadata.get("login")
    return str(login) if login is not None else None


@command(title="Connect an account", effect=Effect.WRITE, gather=ask_identity, rest="POST /v1/accounts", agent=False)
async def connect_account(context: Context, arguments: ConnectAccount, identity: Identity) -> AccountReceipt:
    """Connect an account with a token in hand, or give a connected one a new token. The network is asked first."""
    platform, external_id = arguments.platform.lower(), identity.external_id
    # Of two that connect one account at the same moment, the second waits here and finds it.
    await calls.reserve(context.session, f"{context.workspace_id}:{platform}:{external_id}")
    account = await accounts.by_external_id(context.session, platform, external_id)
    if account is None:
        account = Account(
            id=new_id(), workspace_id=context.workspace_id, platform=platform, external_id=external_id, details={}
        )
        context.session.add(account)
    account.handle = identity.handle or arguments.handle or external_id
    account.status, account.login = "connected", _login(arguments)
    account.token_expires_at, account.scopes = arguments.expires_at, arguments.scopes
    account.details = dict(arguments.metadata)
    account.updated_at = context.now
    seal = context.doors.vault.seal
    workspace_id, account_id = str(context.workspace_id), str(account.id)
    account.access_token = seal(
        arguments.access_token.get_secret_value(), context=token_context(workspace_id, account_id, "access_token")
    )
    account.refresh_token = (
        seal(
            arguments.refresh_token.get_secret_value(),
            context=token_context(workspace_id, account_id, "refresh_token"),
        )
        if arguments.refresh_token
        else None
    )
    await context.session.flush()
    await context.session.refresh(account, ["created_at"])
    return AccountReceipt(summary=f"Connected {account_label(account)}.", account=account_view(context, account))


@command(title="Disconnect an account", effect=Effect.WRITE, rest="DELETE /v1/accounts/{account_id}", agent=False)
async def disconnect_account(context: Context, arguments: DisconnectAccount) -> AccountReceipt:
    """Forget an account's tokens; its posts stay, and what is planned on it waits until it is connected again."""
    account = await choose_account(
        context.session, context.doors.adapters, platform=None, reference=arguments.account_id
    )
    account.status, account.refresh_token, account.access_token = "disconnected", None, b""
    account.updated_at = context.now
    await context.session.flush()
    return AccountReceipt(summary=f"Disconnected {account_label(account)}.", account=account_view(context, account))


class ShowAccount(Arguments):
    """Arguments of show_account."""

    account_id: str = Field(description="the account's id or @handle")


@command(title="Show an account", effect=Effect.READ, rest="GET /v1/accounts/{account_id}", agent=False)
async def show_account(context: Context, arguments: ShowAccount) -> AccountReceipt:
    """Show one account."""
    account = await choose_account(
        context.session, context.doors.adapters, platform=None, reference=arguments.account_id
    )
    return AccountReceipt(
        summary=f"{account_label(account)} is {account.status}.", account=account_view(context, account)
    )
