"""repurpose_post: one post, said again for other networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import AliasChoices, Field

from core.errors import Conflict
from core.ports import RepurposeBrief
from core.when.receipt import receipt
from db.models.idea import Idea
from db.models.post import Post
from db.queries import posts
from platforms.base import Adapter
from tools.accounts.choose import account_label
from tools.assets import asset_view
from tools.command import Arguments, Effect, Proposal, Result, command
from tools.context import Context
from tools.ideas.targets import Target, network_brief, targets_of
from tools.posts.changes import consented, made
from tools.posts.content import content_of
from tools.posts.draft import POST_ID, WHEN
from tools.posts.fitting import Fitted, fitted
from tools.posts.making import NewPost, link, make_post, place, require_same
from tools.posts.media import Source
from tools.posts.references import resolve_post, speak_of
from tools.posts.times import clash_warnings, resolve_time
from tools.posts.view import PostView, label, views


class RepurposePost(Arguments):
    """Arguments of repurpose_post."""

    post_id: str = Field(max_length=300, description=POST_ID)
    platforms: tuple[str, ...] = Field(
        (), max_length=20, description="the networks, such as tiktok; every other connected one when left out"
    )
    accounts: tuple[str, ...] = Field(
        (),
        max_length=20,
        validation_alias=AliasChoices("accounts", "account_ids"),
        description="accounts by id or @handle, where a network has several",
    )
    when: str | None = Field(None, max_length=200, description=f"only when they are to be scheduled at once: {WHEN}")


class Repurposed(Result):
    """The new posts, one per network; ``warnings`` say which network could not take it, and what is still missing."""

    idea_id: str
    source: PostView
    posts: tuple[PostView, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Version:
    """What one account is to get."""

    target: Target
    format: str
    caption: str
    fitted: Fitted


@dataclass(frozen=True, kw_only=True)
class Versions:
    """What gather made of the source as it was at ``version``."""

    post_id: UUID
    version: int
    made: tuple[Version, ...]
    skipped: tuple[str, ...]
    rests_on: str | None


async def gather_versions(context: Context, arguments: RepurposePost) -> Versions:
    """Find out who can take the post, fit its media, and write the words before anything is kept."""
    async with context.doors.database.session(context.workspace_id) as session:
        reading = context.inside(session)
        post = await resolve_post(reading, arguments.post_id)
        rows = (await posts.media_of(session, [post.id]))[post.id]
        targets = await targets_of(reading, post, rows, platforms=arguments.platforms, named=arguments.accounts)
    sources = tuple(Source(asset=asset_view(row.asset), alt_text=row.medium.alt_text) for row in rows)
    words, rests_on = await _words(context, post, targets.found)
    made = [
        Version(
            target=target,
            format=words[target.account.platform][0],
            caption=words[target.account.platform][1],
            fitted=await fitted(
                context,
                context.doors.adapters[target.account.platform],
                words[target.account.platform][0],
                sources,
            ),
        )
        for target in targets.found
    ]
    return Versions(post_id=post.id, version=post.version, made=tuple(made), skipped=targets.skipped, rests_on=rests_on)


async def _words(
    context: Context, post: Post, targets: Sequence[Target]
) -> tuple[dict[str, tuple[str, str]], str | None]:
    """Format and caption by network, and what the words rest on; a post without words stays without."""
    formats = {target.account.platform: target.formats for target in targets}
    if not post.caption.strip():
        return {platform: (names[0], "") for platform, names in formats.items()}, None
    adapters = context.doors.adapters
    networks = tuple(network_brief(adapters[platform], names) for platform, names in formats.items())
    written = await context.doors.writer.repurpose(
        RepurposeBrief(text=post.caption, platform=post.platform, networks=networks)
    )
    return {version.platform: (version.format, version.text) for version in written.versions}, written.rests_on


async def _propose(context: Context, arguments: RepurposePost) -> Proposal:  # noqa: ARG001 - nothing to show
    raise Conflict(
        "A yes is for exactly what is shown, and the words for the other networks are not written yet.",
        code="draft_first",
        action="Repurpose it without `when`; then schedule the drafts.",
    )


@command(
    title="Bring a post to other networks",
    effect=Effect.WRITE,
    effect_of=lambda arguments: Effect.SCHEDULE if arguments.when is not None else Effect.WRITE,
    propose=_propose,
    gather=gather_versions,
    rest="POST /v1/posts/{post_id}/repurpose",
)
async def repurpose_post(context: Context, arguments: RepurposePost, gathered: Versions) -> Repurposed:
    """Make a draft of a post for each of the named networks, in each one's words, format and limits.

    The media stay; the drafts and the source are linked as one idea. A network that cannot take the post is named in
    `warnings` with the reason, and the others are made all the same. Leave `when` out unless they are to be scheduled.
    """
    source = await posts.get(context.session, gathered.post_id, lock=True)
    assert source is not None
    require_same(source, gathered.version)
    idea_id = source.idea_id or await _new_idea(context, source)
    await link(context, source, idea_id=idea_id)
    warnings = list(gathered.skipped)
    siblings: list[Post] = []
    for version in gathered.made:
        post = await _sibling(context, source, version)
        warnings += [*version.fitted.warnings, *await _settle(context, arguments.when, post, version)]
        await made(context, post)
        siblings.append(post)
    await speak_of(context, *siblings, source)
    shown = await views(context, [*siblings, source])
    return Repurposed(
        summary=_said(context, source, gathered, siblings),
        idea_id=str(idea_id),
        source=shown[-1],
        posts=shown[:-1],
        warnings=tuple(warnings),
    )


async def _new_idea(context: Context, source: Post) -> UUID:
    about = source.about or " ".join(source.caption.split())[:500] or source.code
    idea = Idea(workspace_id=context.workspace_id, about=about, created_by=context.principal.user_id)
    context.session.add(idea)
    await context.session.flush()
    return idea.id


async def _sibling(context: Context, source: Post, version: Version) -> Post:
    new = NewPost(
        account=version.target.account,
        format=version.format,
        caption=version.caption,
        about=source.about,
        media=version.fitted.media,
        idea_id=source.idea_id,
    )
    return await make_post(context, new)


async def _settle(context: Context, when: str | None, post: Post, version: Version) -> list[str]:
    """Put a new sibling on the calendar where that was asked for and can be; returns the warnings."""
    account = version.target.account
    adapter: Adapter = context.doors.adapters[account.platform]
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    problems = adapter.validate(content_of(post, media))
    if when is None or problems:
        start = f"{post.code} for {account_label(account)}"
        return [f"{start}, before it can go out: {problem.message}" for problem in problems]
    moment = await resolve_time(context, when, post, account, adapter.manifest)
    place(context, post, moment)
    await consented(context, post)
    return list(await clash_warnings(context, post, moment.instant))


def _said(context: Context, source: Post, gathered: Versions, siblings: Sequence[Post]) -> str:
    each = "; ".join(
        f"{post.code} for {account_label(version.target.account)} as {post.format}"
        + (
            f" on {receipt(post.scheduled_for, zone=context.caller.zone, now=context.now)}"
            if post.scheduled_for is not None
            else ""
        )
        for post, version in zip(siblings, gathered.made, strict=True)
    )
    rests = f" ({gathered.rests_on})" if gathered.rests_on else ""
    return f"Made of {label(source)}: {each}{rests}."
