"""New times for many posts at once: each from its own time, or spread over its account's free posting times."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import combinations
from uuid import UUID
from zoneinfo import ZoneInfo

from core.errors import Ambiguous, Conflict, InvalidInput, StudioError
from core.when.resolve import Moment, is_slot, resolve
from db.models.account import Account
from db.models.post import Post
from db.queries import posts
from tools.context import Context
from tools.posts.times import CLASH_WITHIN, clash_line, free_slots, next_free
from tools.posts.view import label

_SAID = 5  # so many of the posts that stand in the way are named
_BY = "by "
_DIRECTIONS = ("later", "earlier", "sooner", "back", "forward", "forwards", "on")


class Refusals:
    """What stands in the way of a change of many posts, gathered so that one answer tells all of it."""

    def __init__(self) -> None:
        self._found: list[tuple[Post, StudioError]] = []

    def add(self, post: Post, error: StudioError) -> None:
        """One post that cannot be changed, and why."""
        self._found.append((post, error))

    def settle(self, among: int) -> None:
        """Raise when anything was found: the very error for a single post, else one that names several."""
        if not self._found:
            return
        first = self._found[0][1]
        if among == 1:
            raise first
        named = " ".join(_said(post, error) for post, error in self._found[:_SAID])
        more = f" And {len(self._found) - _SAID} more." if len(self._found) > _SAID else ""
        message = f"{len(self._found)} of {among} posts cannot be changed, so none was: {named}{more}"
        action = first.action or "Leave these posts out, or say it so that it fits each of them."
        if isinstance(first, Conflict):
            changed = {post.code: post.status for post, _ in self._found}
            raise Conflict(message, code=first.code, action=action, changed=changed)
        raise InvalidInput(message, code=first.code, action=action)


def _said(post: Post, error: StudioError) -> str:
    return error.message if post.code in error.message else f"{label(post)}: {error.message}"


async def new_times(
    context: Context,
    found: Sequence[Post],
    accounts: Mapping[UUID, Account],
    *,
    when: str,
    moments: Mapping[UUID, datetime] | None,
) -> dict[UUID, Moment]:
    """Where each post goes. ``moments`` are times that were settled before (shown to a person); else ``when`` says it.

    Raises what ``core.when.resolve`` raises, for all posts together.
    """
    refusals, times = Refusals(), dict[UUID, Moment]()
    openings = await _openings(context, found, accounts) if moments is None and is_slot(when) else None
    for post in found:
        try:
            if openings is not None:
                times[post.id] = next_free(openings[post.account_id], accounts[post.account_id])
            elif moments is not None:
                times[post.id] = _settled(context, post, moments)
            else:
                times[post.id] = _resolved(context, post, when)
        except StudioError as error:
            refusals.add(post, error)
    refusals.settle(len(found))
    if openings is None and moments is None:
        _require_own_times(context, found, times, when)
    return times


async def _openings(
    context: Context, found: Sequence[Post], accounts: Mapping[UUID, Account]
) -> dict[UUID, Iterator[Moment]]:
    """The free slots of each account, as they are once these posts have left their places."""
    leaving = [post.id for post in found]
    return {
        account.id: await free_slots(
            context, account, context.doors.adapters[account.platform].manifest, besides=leaving
        )
        for account in accounts.values()
    }


def _settled(context: Context, post: Post, moments: Mapping[UUID, datetime]) -> Moment:
    if post.id not in moments:
        raise InvalidInput(
            f"moments has no time for {label(post)}.",
            code="moment_missing",
            action="Give a time for each of the posts, or leave moments out.",
        )
    return resolve(moments[post.id].isoformat(), now=context.now, zone=context.caller.zone)


def _resolved(context: Context, post: Post, when: str) -> Moment:
    try:
        moment = resolve(_in_full(when), now=context.now, zone=context.caller.zone, anchor=post.scheduled_for)
    except Ambiguous as error:
        raise InvalidInput(
            error.message,
            code=error.code,
            action="Say it so that it means one time for each post: 'a day later', 'an hour earlier', 'to Friday'.",
        ) from error
    # Whole seconds, also of "now": a time that is shown for a yes is the very time that is set.
    return replace(moment, instant=moment.instant.replace(microsecond=0))


def _in_full(when: str) -> str:
    """A move "by 2 days" is one to later."""
    said = when.strip()
    if said.lower().startswith(_BY) and not said.lower().endswith(_DIRECTIONS):
        return f"{said[len(_BY) :]} later"
    return said


def _require_own_times(context: Context, found: Sequence[Post], times: Mapping[UUID, Moment], when: str) -> None:
    """One time of the clock for several posts of an account would heap them up: each keeps its own, or has a slot."""
    zone = ZoneInfo(context.caller.zone)
    heaped: dict[tuple[UUID, datetime], list[Post]] = {}
    for post in found:
        heaped.setdefault((post.account_id, times[post.id].instant), []).append(post)
    for (_, instant), together in heaped.items():
        clock = instant.astimezone(zone).time()
        strange = [each for each in together if each.scheduled_for and _clock(each.scheduled_for, zone) != clock]
        if len({each.scheduled_for for each in together}) > 1 and strange:
            raise InvalidInput(
                f"“{when}” is one time for {len(together)} posts of one account, {label(together[0])} among them.",
                code="when_one_for_many",
                action="Say 'a day later', a day alone such as 'to Friday', or 'next free slots'.",
            )


def _clock(moment: datetime, zone: ZoneInfo) -> object:
    return moment.astimezone(zone).time()


async def clashes(context: Context, found: Sequence[Post], times: Mapping[UUID, Moment]) -> dict[UUID, tuple[str, ...]]:
    """For each post a sentence for every other of its account that goes out at nearly the same time, once all moved."""
    instants = [times[post.id].instant for post in found]
    staying = await posts.planned(
        context.session,
        {post.account_id for post in found},
        min(instants) - CLASH_WITHIN,
        max(instants) + CLASH_WITHIN,
        besides=[post.id for post in found],
    )
    said: dict[UUID, list[str]] = {post.id: [] for post in found}
    by_account: dict[UUID, list[tuple[datetime, Post]]] = {}
    for post in found:
        by_account.setdefault(post.account_id, []).append((times[post.id].instant, post))
    for other in staying:
        if other.scheduled_for is not None:
            by_account[other.account_id].append((other.scheduled_for, other))
    for planned in by_account.values():
        for (at, post), (other_at, other) in combinations(planned, 2):
            if abs(at - other_at) < CLASH_WITHIN:
                for one, two, moment in ((post, other, other_at), (other, post, at)):
                    if one.id in said:
                        said[one.id].append(clash_line(context, two, moment))
    return {post_id: tuple(lines) for post_id, lines in said.items()}
