"""What the variants of an experiment are: one thing differs, everything else is the source's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from core.errors import InvalidInput, Problem
from core.when.resolve import Moment
from db.models.account import Account
from db.models.post import Post, Status
from db.queries import posts
from tools.command import Arguments
from tools.context import Context
from tools.posts.media import MediaReference
from tools.posts.times import CLASH_WITHIN, resolve_time

Vary = Literal["caption", "image", "time"]
MOST_VARIANTS = 4
_SEARCH_DAYS = 60
_FIELDS: dict[str, str] = {"caption": "caption", "image": "media", "time": "when"}


class Variant(Arguments):
    """One variant beside the source: only what is varied, and when it goes out."""

    caption: str | None = Field(None, max_length=10_000, description="its words, for vary 'caption'")
    media: tuple[MediaReference, ...] | None = Field(
        None, min_length=1, max_length=35, description="its photos or video, for vary 'image'"
    )
    when: str | None = Field(
        None, min_length=1, max_length=200, description="when it goes out, in the person's own words; never compute it"
    )


def wanted_variants(vary: Vary, given: Sequence[Variant], count: int) -> Sequence[Variant]:
    """The variants beside the source; those of a caption may be left to the writer (then they are empty).

    Raises ``InvalidInput`` where a variant does not say what is varied, or says more than that.
    """
    if not given and vary == "caption":
        return [Variant() for _ in range(count - 1)]
    if not given:
        needs = "its photos or video" if vary == "image" else "its time"
        raise _unusable("variants", f"Say for each variant {needs}: Studio cannot make that up.", "variants_missing")
    field = _FIELDS[vary]
    for position, variant in enumerate(given):
        if getattr(variant, field) is None:
            raise _unusable(f"variants.{position}.{field}", f"A variant of the {vary} needs {field}.", "variant_empty")
        beside = {"caption", "media"} - {field}
        if any(getattr(variant, name) is not None for name in beside):
            raise _unusable(
                f"variants.{position}", f"Only the {vary} may differ, or nobody can say what made the difference.",
                "variant_differs",
            )  # fmt: skip
    if len({variant.when is None for variant in given}) > 1:
        raise _unusable("variants", "Give every variant a time, or none of them.", "variant_times")
    return given


def require_distinct(values: Sequence[object], vary: Vary) -> None:
    """Raise ``InvalidInput`` when two variants, or one and the source, are the same."""
    if any(one == other for one, other in combinations(values, 2)):
        raise _unusable("variants", f"Two variants have the same {vary}.", "variants_same")


async def planned_times(
    context: Context, source: Post, account: Account, variants: Sequence[Variant]
) -> Sequence[Moment | None]:
    """When each variant goes out: as said; beside a source with a time on the next days, same hour; else never yet.

    Raises ``InvalidInput`` when two of them are less than 15 minutes apart.
    """
    if any(variant.when is not None for variant in variants):
        manifest = context.doors.adapters[source.platform].manifest
        moments = [
            await resolve_time(context, variant.when, source, account, manifest)
            for variant in variants
            if variant.when is not None
        ]
        _require_apart(source, moments)
        return moments
    if source.status != Status.SCHEDULED or source.scheduled_for is None:
        return [None for _ in variants]
    return await _following_days(context, source, source.scheduled_for, len(variants))


def _require_apart(source: Post, moments: Sequence[Moment]) -> None:
    own = [source.scheduled_for] if source.scheduled_for is not None else []
    for one, other in combinations([*own, *(moment.instant for moment in moments)], 2):
        if abs(one - other) < CLASH_WITHIN:
            raise _unusable("variants", "Two variants go out at nearly the same time.", "variants_clash")


async def _following_days(context: Context, source: Post, at: datetime, count: int) -> Sequence[Moment]:
    """The same time on the clock on the days after the source's, without those where something goes out then."""
    zone = source.zone or context.caller.zone
    home = ZoneInfo(zone)
    end = at + timedelta(days=_SEARCH_DAYS + 1)
    taken = await posts.taken_times(context.session, source.account_id, at - CLASH_WITHIN, end)
    wall = at.astimezone(home).replace(tzinfo=None)
    found: list[Moment] = []
    for day in range(1, _SEARCH_DAYS):
        that_day = wall + timedelta(days=day)
        instant = that_day.replace(tzinfo=home).astimezone(at.tzinfo)
        exists = instant.astimezone(home).replace(tzinfo=None) == that_day
        if exists and instant > context.now and all(abs(instant - other) >= CLASH_WITHIN for other in taken):
            found.append(Moment(instant=instant, zone=zone, wall_time=that_day, phrase="the same time on a later day"))
        if len(found) == count:
            return found
    raise _unusable("variants", f"No day of the next {_SEARCH_DAYS} has that time free.", "no_free_slot")


def _unusable(path: str, message: str, code: str) -> InvalidInput:
    return InvalidInput(
        message,
        code=code,
        action="Say the variants again: what differs in each, and when it goes out.",
        problems=[Problem(path=path, code=code, message=message)],
    )
