"""Where a post could go besides: accounts on other networks, and the formats that its media allow there."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Ambiguous, Candidate, InvalidInput, NotFound
from core.ports import NetworkBrief
from db.models.account import Account
from db.models.post import Post
from db.queries import accounts
from db.queries.posts import PostMediumRow
from platforms.base import Adapter, Content, FormatRules
from tools.accounts.choose import account_label, choose_account
from tools.context import Context
from tools.posts.content import content_of

# Gone after a day: never what a post becomes unless somebody names it.
_FLEETING = frozenset({"story"})


@dataclass(frozen=True, kw_only=True)
class Target:
    """An account that can take the post, with the formats it could have there, the likeliest first."""

    account: Account
    formats: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Where the post can go, and a sentence for every place where it cannot."""

    found: tuple[Target, ...]
    skipped: tuple[str, ...]


async def targets_of(
    context: Context, post: Post, media: Sequence[PostMediumRow], *, platforms: Sequence[str], named: Sequence[str]
) -> Targets:
    """The accounts meant by networks and by handles; without either, one on every other connected network.

    Raises ``Ambiguous`` where a network has several accounts and none is named, ``NotFound`` for an unknown handle, and
    ``InvalidInput`` with the reasons when no network can take the post.
    """
    wanted, skipped = await _wanted(context, post, platforms, named)
    found: list[Target] = []
    for account in wanted:
        adapter = context.doors.adapters[account.platform]
        formats = formats_for(adapter, post, media)
        if account.id == post.account_id:
            skipped.append(f"{post.code} is on {account_label(account)} already.")
        elif formats:
            found.append(Target(account=account, formats=formats))
        else:
            skipped.append(f"Nothing for {account_label(account)}: {why_not(adapter, post, media)}")
    if not found:
        raise InvalidInput(
            " ".join(skipped) or "There is no other network to bring this post to.",
            code="no_target",
            action="Connect an account on another network, or give the post media that the network takes.",
        )
    return Targets(found=tuple(found), skipped=tuple(skipped))


async def _wanted(
    context: Context, post: Post, platforms: Sequence[str], named: Sequence[str]
) -> tuple[Sequence[Account], list[str]]:
    """The accounts that are asked for, and why a network that is asked for has none."""
    wanted: dict[str, Account] = {}
    skipped: list[str] = []
    for reference in named:
        account = await choose_account(context.session, context.doors.adapters, platform=None, reference=reference)
        wanted[str(account.id)] = account
    covered = {account.platform for account in wanted.values()}
    asked = platforms or (() if named else await _others(context, post))
    for platform in dict.fromkeys(name.strip().lower() for name in asked):
        if platform in covered:
            continue
        try:
            account = await _account_on(context, post, platform)
        except (NotFound, InvalidInput) as error:
            if len(asked) == 1 and not wanted:
                raise
            skipped.append(error.message)
        else:
            wanted[str(account.id)] = account
    return list(wanted.values()), skipped


async def _others(context: Context, post: Post) -> Sequence[str]:
    connected = await accounts.all_accounts(context.session)
    return [account.platform for account in connected if account.platform != post.platform]


async def _account_on(context: Context, post: Post, platform: str) -> Account:
    """The one account of a network that the post is not on; its own only when there is no other."""
    connected = await accounts.all_accounts(context.session)
    others = [account for account in connected if account.platform == platform and account.id != post.account_id]
    if len(others) > 1:
        raise Ambiguous(
            f"Which account? {', '.join(account_label(account) for account in others)}.",
            code="account_ambiguous",
            action="Name the account's handle.",
            candidates=tuple(Candidate(id=str(account.id), label=account_label(account)) for account in others),
        )
    if others:
        return others[0]
    return await choose_account(context.session, context.doors.adapters, platform=platform, reference=None)


def formats_for(adapter: Adapter, post: Post, media: Sequence[PostMediumRow]) -> tuple[str, ...]:
    """The formats that a post's media allow on a network, the network's own choice first; empty = none."""
    content = _without_format(post, media)
    chosen = adapter.choose_format(content)
    fitting = [
        rules.name
        for rules in adapter.manifest.formats
        if rules.name not in _FLEETING and rules.name != chosen and _ready(adapter, content, rules)
    ]
    rules = adapter.manifest.format_rules(chosen)
    return (chosen, *fitting) if rules is not None and _holds(rules, content) else tuple(fitting)


def why_not(adapter: Adapter, post: Post, media: Sequence[PostMediumRow]) -> str:
    """Why a network cannot take a post's media, in the network's own rules."""
    content = _without_format(post, media)
    probe = Content(format=adapter.choose_format(content), caption="x", media=content.media)
    problems = [problem.message for problem in adapter.validate(probe)]
    return problems[0] if problems else f"{adapter.manifest.title} has no format for {len(media)} media of these kinds."


def _without_format(post: Post, media: Sequence[PostMediumRow]) -> Content:
    return Content(format="", caption="x", media=content_of(post, media).media)


def _holds(rules: FormatRules, content: Content) -> bool:
    """Whether kind and number of the media are right; what else is wrong with a medium can be mended."""
    kinds = {medium.kind for medium in content.media}
    return kinds <= rules.kinds and rules.min_media <= len(content.media) <= rules.max_media


def _ready(adapter: Adapter, content: Content, rules: FormatRules) -> bool:
    """Whether the media could go out in a format as they are, without any setting of its own."""
    probe = Content(format=rules.name, caption="x", media=content.media)
    return _holds(rules, content) and not adapter.validate(probe)


def network_brief(adapter: Adapter, formats: Sequence[str]) -> NetworkBrief:
    """What a writer has to know of a network; the limit is that of the tightest of the formats that take words."""
    limits = {name: rules.max_text for name in formats if (rules := adapter.manifest.format_rules(name)) is not None}
    wordy = {name: limit for name, limit in limits.items() if limit} or limits
    return NetworkBrief(
        platform=adapter.manifest.platform,
        formats=tuple(wordy),
        limit=min(wordy.values()),
        count=adapter.text_length,
    )
