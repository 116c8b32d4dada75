"""create_experiment: posts that differ in one thing only, made to be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from uuid import UUID

from pydantic import Field

from core.errors import Conflict, InvalidInput
from core.ports import VariantsBrief
from core.when.receipt import receipt
from core.when.resolve import Moment
from db.models.account import Account
from db.models.idea import Experiment, ExperimentVariant
from db.models.post import Approval, Post, PostMedium, Status
from db.queries import accounts, experiments, posts
from db.queries.posts import PostMediumRow
from tools.accounts.choose import account_label
from tools.assets import find_asset
from tools.command import Arguments, Effect, Proposal, command
from tools.consent import asks
from tools.context import Context
from tools.ideas.experiment_view import ExperimentReceipt, said_of, view_of
from tools.ideas.targets import network_brief
from tools.ideas.variants import MOST_VARIANTS, Variant, Vary, planned_times, require_distinct, wanted_variants
from tools.posts.changes import hash_of, made, needs_a_yes, refusal
from tools.posts.content import content_of, require_publishable
from tools.posts.draft import POST_ID
from tools.posts.fitting import Fitted, fitted
from tools.posts.making import (
    NewPost,
    agreed,
    link,
    make_post,
    place,
    planned_hash,
    require_agreed,
    require_same,
    together,
)
from tools.posts.media import bring_in
from tools.posts.references import resolve_post, speak_of
from tools.posts.times import clash_warnings
from tools.posts.view import label, media_label

_OUT_OF_REACH = frozenset({Status.PUBLISHING, Status.UNCONFIRMED, Status.CANCELLED})


class CreateExperiment(Arguments):
    """Arguments of create_experiment."""

    post_id: str = Field(max_length=300, description=f"variant A; {POST_ID}")
    vary: Vary = Field(description="the one thing that differs")
    variants: tuple[Variant, ...] = Field(
        (), max_length=MOST_VARIANTS - 1, description="B, C and D; captions may be left to Studio"
    )
    count: int = Field(2, ge=2, le=MOST_VARIANTS, description="how many with A, when the variants are left to Studio")
    hypothesis: str | None = Field(None, max_length=500, description="what is to be found out")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What gather brought in for the source as it was at ``version``; captions and media are those of B, C and D."""

    post_id: UUID
    version: int
    captions: Sequence[str | None]
    fitted: Sequence[Fitted | None]
    rests_on: str | None


async def gather_variants(context: Context, arguments: CreateExperiment) -> Prepared:
    """Fetch the variants' media, or write their captions, before anything is kept."""
    async with context.doors.database.session(context.workspace_id) as session:
        source = await resolve_post(context.inside(session), arguments.post_id)
    variants = wanted_variants(arguments.vary, arguments.variants, arguments.count)
    captions, rests_on = [variant.caption for variant in variants], None
    adapter = context.doors.adapters[source.platform]
    if arguments.vary == "caption" and not arguments.variants:
        if not source.caption.strip():
            raise InvalidInput(
                f"{source.code} has no words to vary.",
                code="brief_empty",
                action="Give it a caption, or vary its image.",
            )
        brief = VariantsBrief(
            text=source.caption,
            count=len(variants),
            network=network_brief(adapter, [source.format]),
            hypothesis=arguments.hypothesis,
        )
        written = await context.doors.writer.variants(brief)
        captions, rests_on = list(written.captions), written.rests_on
    media = [
        await fitted(context, adapter, source.format, await bring_in(context, variant.media)) if variant.media else None
        for variant in variants
    ]
    return Prepared(post_id=source.id, version=source.version, captions=captions, fitted=media, rests_on=rests_on)


def _effect(arguments: CreateExperiment) -> Effect:
    timed = arguments.vary == "time" or any(variant.when is not None for variant in arguments.variants)
    return Effect.SCHEDULE if timed else Effect.WRITE


async def _propose(context: Context, arguments: CreateExperiment) -> Proposal:
    """Exactly these variants at exactly these times."""
    source, account = await _source(context, arguments.post_id)
    variants = wanted_variants(arguments.vary, arguments.variants, arguments.count)
    _require_seen(arguments, variants)
    moments = await planned_times(context, source, account, variants)
    own = (await posts.media_of(context.session, [source.id]))[source.id]
    hashes, said, pinned = [], [], []
    for letter, variant, moment in zip(ascii_uppercase[1:], variants, moments, strict=False):
        media = await _shown_media(context, variant) if variant.media is not None else own
        new = _new(source, account, variant.caption, [(row.asset.id, row.medium.alt_text) for row in media])
        assert moment is not None
        hashes.append(planned_hash(new, media, moment.instant))
        at = receipt(moment.instant, zone=moment.zone, now=context.now)
        said.append(f"{letter}: {at}: “{new.caption}” with {media_label(media)}.")
        pinned.append(_pinned(variant, media, moment))
    return Proposal(
        summary=f"Schedule variants of {label(source)} on {account_label(account)}? {' '.join(said)}",
        content_hash=together(hashes),
        pinned={"post_id": str(source.id), "variants": pinned},
    )


def _require_seen(arguments: CreateExperiment, variants: Sequence[Variant]) -> None:
    by_address = any(each.url is not None for variant in variants for each in variant.media or ())
    if by_address or not arguments.variants or any(variant.when is None for variant in variants):
        raise Conflict(
            "A yes is for exactly what is shown, and the words or pictures of these variants are not there yet.",
            code="draft_first",
            action="Make the variants without times; then schedule the drafts.",
        )


async def _shown_media(context: Context, variant: Variant) -> list[PostMediumRow]:
    return [
        PostMediumRow(medium=PostMedium(alt_text=each.alt_text), asset=await find_asset(context.session, each.asset_id))
        for each in variant.media or ()
        if each.asset_id is not None
    ]


def _pinned(variant: Variant, media: Sequence[PostMediumRow], moment: Moment) -> dict[str, object]:
    pinned: dict[str, object] = {"when": moment.instant.isoformat()}
    if variant.caption is not None:
        pinned["caption"] = variant.caption
    if variant.media is not None:
        pinned["media"] = [{"asset_id": str(row.asset.id), "alt_text": row.medium.alt_text} for row in media]
    return pinned


async def _source(context: Context, reference: str, *, lock: bool = False) -> tuple[Post, Account]:
    source = await resolve_post(context, reference, lock=lock)
    if Status(source.status) in _OUT_OF_REACH:
        raise refusal(source, "varied")
    account = await accounts.get(context.session, source.account_id)
    assert account is not None
    return source, account


@command(
    title="Create an experiment",
    effect=Effect.WRITE,
    effect_of=_effect,
    propose=_propose,
    gather=gather_variants,
    rest="POST /v1/experiments",
)
async def create_experiment(context: Context, arguments: CreateExperiment, gathered: Prepared) -> ExperimentReceipt:
    """Make variants of a post that differ in one thing only: caption, image or time.

    The post becomes variant A. Captions are written by Studio unless the person gave them; images and times have to be
    given. Variants of a draft are drafts; beside a post with a time they go out on the days after it, at that hour.
    """
    source, account = await _source(context, str(gathered.post_id), lock=True)
    require_same(source, gathered.version)
    await _require_free(context, source)
    variants = wanted_variants(arguments.vary, arguments.variants, arguments.count)
    moments = await planned_times(context, source, account, variants)
    experiment = await _new_experiment(context, arguments)
    await link(context, source, experiment_id=experiment.id)
    found = [source]
    for caption, fitting in zip(gathered.captions, gathered.fitted, strict=True):
        media = await _media(context, source, fitting)
        new = _new(source, account, caption, media, experiment_id=experiment.id)
        found.append(await make_post(context, new))
    await _require_different(context, arguments.vary, found)
    fits = [warning for fitting in gathered.fitted if fitting is not None for warning in fitting.warnings]
    warnings = fits + await _plan(context, arguments, found, moments)
    for letter, post in zip(ascii_uppercase, found, strict=False):
        context.session.add(_variant(experiment, letter, post))
    for post in found[1:]:
        await made(context, post)
    await speak_of(context, *found)
    shown = await view_of(context, experiment)
    rests = f" ({gathered.rests_on})" if gathered.rests_on else ""
    return ExperimentReceipt(summary=f"{said_of(shown)}{rests}", experiment=shown, warnings=tuple(warnings))


async def _require_free(context: Context, source: Post) -> None:
    held = source.experiment_id
    if held is not None and await experiments.is_open(context.session, held, besides=source.id):
        raise Conflict(
            f"{label(source)} is part of an experiment already.",
            code="experiment_exists",
            action="Cancel that experiment's other variants first, or begin with another post.",
            changed={"experiment_id": str(held)},
        )


async def _new_experiment(context: Context, arguments: CreateExperiment) -> Experiment:
    experiment = Experiment(
        workspace_id=context.workspace_id,
        vary=arguments.vary,
        hypothesis=arguments.hypothesis,
        created_by=context.principal.user_id,
    )
    context.session.add(experiment)
    await context.session.flush()
    return experiment


async def _media(context: Context, source: Post, fitting: Fitted | None) -> Sequence[tuple[UUID, str | None]]:
    if fitting is not None:
        return fitting.media
    own = (await posts.media_of(context.session, [source.id]))[source.id]
    return [(row.asset.id, row.medium.alt_text) for row in own]


def _new(
    source: Post,
    account: Account,
    caption: str | None,
    media: Sequence[tuple[UUID, str | None]],
    *,
    experiment_id: UUID | None = None,
) -> NewPost:
    return NewPost(
        account=account,
        format=source.format,
        caption=caption if caption is not None else source.caption,
        about=source.about,
        media=media,
        options=dict(source.options),
        idea_id=source.idea_id,
        experiment_id=experiment_id,
    )


async def _require_different(context: Context, vary: Vary, found: Sequence[Post]) -> None:
    if vary == "caption":
        require_distinct([post.caption.strip() for post in found], vary)
    elif vary == "image":
        media = await posts.media_of(context.session, [post.id for post in found])
        require_distinct([[row.asset.id for row in media[post.id]] for post in found], vary)


async def _plan(
    context: Context, arguments: CreateExperiment, found: Sequence[Post], moments: Sequence[Moment | None]
) -> list[str]:
    """Put the variants on the calendar where they have a time; returns the warnings."""
    source, others = found[0], found[1:]
    adapter = context.doors.adapters[source.platform]
    media = await posts.media_of(context.session, [post.id for post in others])
    warnings: list[str] = []
    for post, moment in zip(others, moments, strict=True):
        if moment is not None:
            require_publishable(adapter, post, media[post.id])
            place(context, post, moment)
            warnings += await clash_warnings(context, post, moment.instant)
        else:
            problems = adapter.validate(content_of(post, media[post.id]))
            warnings += [f"{post.code}, before it can go out: {problem.message}" for problem in problems]
    planned = [post for post in others if post.scheduled_for is not None]
    if planned and _effect(arguments) is Effect.SCHEDULE:
        require_agreed(context, together([await hash_of(context, post) for post in planned]))
    for post in planned:
        await _agree(context, arguments, post)
        warnings += needs_a_yes(post)
    if planned and source.scheduled_for is None and source.published_at is None:
        warnings.append(f"A, {label(source)}, has no time yet: schedule it as well.")
    await context.session.flush()
    return list(dict.fromkeys(warnings))


async def _agree(context: Context, arguments: CreateExperiment, post: Post) -> None:
    """Bind a planned variant to its yes; one that takes its time from the source was asked about by nobody."""
    asked = asks(Effect.SCHEDULE, context.caller, context.doors.settings.approvals)
    if asked and _effect(arguments) is not Effect.SCHEDULE:
        post.approval = Approval.REQUIRED
    else:
        await agreed(context, post)


def _variant(experiment: Experiment, letter: str, post: Post) -> ExperimentVariant:
    return ExperimentVariant(
        workspace_id=experiment.workspace_id, experiment_id=experiment.id, letter=letter, post_id=post.id
    )
