"""list_accounts, connect_account, disconnect_account."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from core.errors import InvalidInput, Problem, Unavailable
from core.ids import new_id
from core.jsontypes import JsonObject
from core.vault import token_context
from db.models.account import Account
from db.queries import accounts, calls
from platforms.base import Connection, Credentials, OpensSessions, TokenGrant
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
    """Arguments of connect_account: a token in hand, from the network's own developer pages or a login.

    Bluesky is connected with a handle and an app password in place of the token.
    """

    platform: str = Field(description="the network, such as instagram")
    external_id: str | None = Field(
        None, min_length=1, max_length=200, description="the account's id at the network; on Bluesky the handle will do"
    )
    handle: str | None = Field(None, max_length=200, description="its handle; asked of the network when left out")
    access_token: SecretStr = Field(
        min_length=1, max_length=8192, description="the token to act with, on Bluesky an app password; kept sealed"
    )
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


async def let_in(context: Context, arguments: ConnectAccount) -> Connection:
    """Ask the network whose token this is, before it is kept; a password is exchanged for tokens."""
    platform = arguments.platform.lower()
    adapter = context.doors.adapters.get(platform)
    if adapter is None:
        known = ", ".join(context.doors.adapters)
        raise InvalidInput(f"Studio has no network {arguments.platform!r}.", action=f"Use one of: {known}.")
    if arguments.external_id is None and not (isinstance(adapter, OpensSessions) and arguments.handle):
        message = f"{adapter.manifest.title} needs the account's id."
        problem = Problem(path="external_id", code="missing", message=message)
        raise InvalidInput(message, action="Name the account by its id at the network.", problems=[problem])
    credentials = Credentials(
        external_id=arguments.external_id or "",
        handle=arguments.handle or "",
        access_token=arguments.access_token.get_secret_value(),
        login=_login(arguments),
        metadata=cast("JsonObject", arguments.metadata),
    )
    try:
        if isinstance(adapter, OpensSessions):
            return await adapter.open_session(credentials)
        return Connection(identity=await adapter.identify(credentials))
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


@command(title="Connect an account", effect=Effect.WRITE, gather=let_in, rest="POST /v1/accounts", agent=False)
async def connect_account(context: Context, arguments: ConnectAccount, connection: Connection) -> AccountReceipt:
    """Connect an account with a token in hand, or give a connected one a new token. The network is asked first."""
    platform, external_id = arguments.platform.lower(), connection.identity.external_id
    # Of two that connect one account at the same moment, the second waits here and finds it.
    await calls.reserve(context.session, f"{context.workspace_id}:{platform}:{external_id}")
    account = await accounts.by_external_id(context.session, platform, external_id)
    if account is None:
        account = Account(
            id=new_id(), workspace_id=context.workspace_id, platform=platform, external_id=external_id, details={}
        )
        context.session.add(account)
    account.handle = connection.identity.handle or arguments.handle or external_id
    account.status, account.login = "connected", _login(arguments)
    account.scopes = arguments.scopes
    account.details = dict(arguments.metadata)
    account.updated_at = context.now
    _keep(context, account, connection.grant or _given(arguments))
    await context.session.flush()
    await context.session.refresh(account, ["created_at"])
    return AccountReceipt(summary=f"Connected {account_label(account)}.", account=account_view(context, account))


def _given(arguments: ConnectAccount) -> TokenGrant:
    refresh_token = arguments.refresh_token
    return TokenGrant(
        access_token=arguments.access_token.get_secret_value(),
        refresh_token=refresh_token.get_secret_value() if refresh_token else None,
        expires_at=arguments.expires_at,
    )


def _keep(context: Context, account: Account, grant: TokenGrant) -> None:
    """Seal the tokens into the account's row."""

    def sealed(token: str, name: str) -> bytes:
        bound = token_context(str(context.workspace_id), str(account.id), name)
        return context.doors.vault.seal(token, context=bound)

    account.access_token = sealed(grant.access_token, "access_token")
    account.refresh_token = sealed(grant.refresh_token, "refresh_token") if grant.refresh_token else None
    account.token_expires_at = grant.expires_at


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
