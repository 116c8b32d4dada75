"""Which account is meant: an id, a handle, or the only one there is."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Ambiguous, Candidate, InvalidInput, NotFound, Problem
from core.ids import parse_id
from db.models.account import Account
from db.queries import accounts
from platforms.base import Adapter

# How networks write themselves, where a capital letter is not enough. (An account outlives its adapter's being served.)
_WRITTEN = {"tiktok": "TikTok"}


def network_title(platform: str) -> str:
    """A network's name for people: "TikTok"."""
    return _WRITTEN.get(platform, platform.title())


def account_label(account: Account) -> str:
    """How people call an account: "Instagram @roastery"."""
    return f"{network_title(account.platform)} @{account.handle}"


async def choose_account(
    session: AsyncSession, adapters: Mapping[str, Adapter], *, platform: str | None, reference: str | None
) -> Account:
    """The connected account meant by a network's name and an id or handle, either or both left out.

    Raises ``InvalidInput`` for a network Studio cannot post to, ``NotFound`` when no account fits, ``Ambiguous`` with
    the candidates when several do.
    """
    wanted = _platform(adapters, platform)
    connected = await accounts.all_accounts(session)
    found = [
        account
        for account in connected
        if (wanted is None or account.platform == wanted) and (reference is None or _is(account, reference))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            f"No connected account fits {reference or wanted or 'this'}. {_listed(connected)}",
            code="account_not_found",
            action="Connect an account, or name one that is connected.",
        )
    raise Ambiguous(
        f"Which account? {', '.join(account_label(account) for account in found)}.",
        code="account_ambiguous",
        action="Name the account's handle.",
        candidates=tuple(Candidate(id=str(account.id), label=account_label(account)) for account in found),
    )


def _platform(adapters: Mapping[str, Adapter], platform: str | None) -> str | None:
    if platform is None:
        return None
    name = platform.strip().lower()
    if name in adapters:
        return name
    titles = ", ".join(adapter.manifest.title for adapter in adapters.values())
    message = f"Studio cannot post to {platform}; it can post to {titles}."
    raise InvalidInput(
        message,
        code="platform_unknown",
        action=f"Choose one of: {titles}.",
        problems=[Problem(path="platform", code="platform_unknown", message=message)],
    )


def _is(account: Account, reference: str) -> bool:
    handle = reference.strip().lstrip("@").lower()
    return account.handle.lower() == handle or account.id == parse_id(reference)


def _listed(connected: Sequence[Account]) -> str:
    if not connected:
        return "No account is connected yet."
    return f"Connected: {', '.join(account_label(account) for account in connected)}."
