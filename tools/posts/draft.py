"""create_draft and edit_draft: what a post says and shows."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import AliasChoices, Field

from core.errors import Conflict, InvalidInput, Problem
from core.ids import new_id
from core.ports import CaptionBrief
from core.when.receipt import receipt
from db.models.account import Account
from db.models.post import Approval, Post, PostMedium, Status
from db.queries import accounts, posts
from db.queries.posts import PostMedia, PostMediumRow
from platforms.base import Adapter
from tools.accounts.choose import account_label, choose_account
from tools.assets import asset_view, find_asset
from tools.command import Arguments, Effect, Proposal, command
from tools.context import Context
from tools.posts.changes import (
    changed,
    consented,
    edit_consent,
    hash_of,
    made,
    needs_a_yes,
    require_editable,
    require_version,
    send_now,
    snapshot,
)
from tools.posts.content import content_hash, content_of, require_publishable
from tools.posts.fitting import Fitted, chosen_format, fitted, ready, require_same_media, sources_of
from tools.posts.making import free_code
from tools.posts.media import MediaReference, bring_in, stored_options
from tools.posts.references import resolve_post, speak_of
from tools.posts.times import clash_warnings, resolve_time
from tools.posts.view import PostReceipt, label, media_label, options_label, views

POST_ID = "the post: its id, its short code such as K7RMD, or words: 'it', 'the last draft', 'the espresso post'"
WHEN = "the time in the person's own words ('Friday 9am', 'in 2 hours', 'next free slot'); never compute it"


class CreateDraft(Arguments):
    """Arguments of create_draft."""

    platform: str | None = Field(None, description="the network, such as instagram; not needed with one account")
    account_id: str | None = Field(
        None, validation_alias=AliasChoices("account_id", "account"), description="the account's id or @handle"
    )
    about: str | None = Field(None, max_length=2000, description="what the post is about; Studio writes the caption")
    caption: str | None = Field(None, max_length=10_000, description="the exact words, when the person gave them")
    media: tuple[MediaReference, ...] = Field((), max_length=35, description="photos or a video, in order")
    format: str | None = Field(None, description="image, carousel, reel or story; chosen from the media when left out")
    options: dict[str, object] = Field(
        default_factory=dict, description="settings of the format, such as first_comment, or cover: an image's asset id"
    )
    when: str | None = Field(None, max_length=200, description=f"only when it is to be scheduled at once: {WHEN}")
    publish_now: bool = Field(default=False, description="only when it is to go out at once, without a draft")


class EditDraft(Arguments):
    """Arguments of edit_draft: only what is named changes."""

    post_id: str = Field(max_length=300, description=POST_ID)
    caption: str | None = Field(None, max_length=10_000, description="the new words, exactly")
    about: str | None = Field(None, max_length=2000, description="what it is about; Studio writes a new caption")
    media: tuple[MediaReference, ...] | None = Field(None, max_length=35, description="replaces all media")
    format: str | None = Field(None, description="image, carousel, reel or story")
    options: dict[str, object] | None = Field(None, description="replaces the settings of the format")
    version: int | None = Field(None, description="the version the person saw; a newer one is a conflict")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was brought in: the media as the network takes them, and the words with where they come from."""

    fitted: Fitted
    caption: str
    rests_on: str | None
    seen: tuple[UUID, ...] = ()  # the post's media that were fitted anew, when no others were given


async def _write(context: Context, account: Account, about: str, format_name: str | None) -> tuple[str, str]:
    adapter = context.doors.adapters[account.platform]
    rules = (format_name and adapter.manifest.format_rules(format_name)) or adapter.manifest.formats[0]
    brief = CaptionBrief(about=about, platform=account.platform, format=rules.name, limit=rules.max_text)
    written = await context.doors.writer.caption(brief)
    return written.text, written.rests_on


async def gather_draft(context: Context, arguments: CreateDraft) -> Draft:
    """Fetch the media and write the words before anything is kept."""
    if arguments.about is None and arguments.caption is None and not arguments.media:
        raise InvalidInput(
            "What should the post be about?",
            code="draft_empty",
            action="Say what it is about, or give its words or a photo.",
            problems=[Problem(path="about", code="missing", message="Say what the post is about.")],
        )
    async with context.doors.database.session(context.workspace_id) as session:
        account = await choose_account(
            session, context.doors.adapters, platform=arguments.platform, reference=arguments.account_id
        )
    adapter = context.doors.adapters[account.platform]
    _require_format(adapter, arguments.format)
    media = await fitted(context, adapter, arguments.format, await bring_in(context, arguments.media))
    if arguments.caption is not None or arguments.about is None:
        return Draft(fitted=media, caption=arguments.caption or "", rests_on=None)
    caption, rests_on = await _write(context, account, arguments.about, arguments.format)
    return Draft(fitted=media, caption=caption, rests_on=rests_on)


def _effect(arguments: CreateDraft) -> Effect:
    if arguments.publish_now:
        return Effect.IRREVERSIBLE
    return Effect.SCHEDULE if arguments.when is not None else Effect.WRITE


async def _propose(context: Context, arguments: CreateDraft) -> Proposal:
    """Make and send exactly this: words, media by id, account and time are those that are shown."""
    account = await choose_account(
        context.session, context.doors.adapters, platform=arguments.platform, reference=arguments.account_id
    )
    if _effect(arguments) is Effect.WRITE:
        said = f"the words “{arguments.caption}”" if arguments.caption is not None else f"about {arguments.about!r}"
        return Proposal(
            summary=f"Draft a post for {account_label(account)}: {said}?", pinned={"account_id": str(account.id)}
        )
    _require_seen(arguments)
    adapter = context.doors.adapters[account.platform]
    post = _unkept(context, arguments, account)
    post.options = await stored_options(context, arguments.options)
    media = await _shown(context, adapter, arguments)
    if "cover" in post.options:
        media.cover = await find_asset(context.session, str(post.options["cover"]))
    post.format = post.format or adapter.choose_format(content_of(post, media))
    require_publishable(adapter, post, media)
    pinned: dict[str, object] = {"account_id": str(account.id)}
    if post.options:
        pinned["options"] = dict(post.options)
    if media:
        pinned["media"] = [{"asset_id": str(row.asset.id), "alt_text": row.medium.alt_text} for row in media]
    said = "now"
    if not arguments.publish_now and arguments.when is not None:
        moment = await resolve_time(context, arguments.when, post, account, adapter.manifest)
        post.scheduled_for = moment.instant
        pinned["when"] = moment.instant.isoformat()
        said = f"on {receipt(moment.instant, zone=moment.zone, now=context.now)}"
    shown = f"“{post.caption}” with {media_label(media)}{options_label(post, media)}"
    return Proposal(
        summary=f"Publish to {account_label(account)} {said}? {shown}.",
        content_hash=content_hash(post, media),
        pinned=pinned,
    )


def _require_seen(arguments: CreateDraft) -> None:
    """Raise ``Conflict`` where a person would be asked about words or pictures that nobody has seen yet."""
    unwritten = arguments.caption is None and arguments.about is not None
    if unwritten or any(reference.url is not None for reference in arguments.media):
        raise Conflict(
            "A yes is for exactly what is shown, and the words or pictures of this post are not there yet.",
            code="draft_first",
            action="Draft it without `when` and `publish_now`; then schedule or publish the draft.",
        )


async def _shown(context: Context, adapter: Adapter, arguments: CreateDraft) -> PostMedia:
    """The media as they would go out. Raises ``Conflict`` where they have to be made first."""
    found = [
        (await find_asset(context.session, each.asset_id), each.alt_text)
        for each in arguments.media
        if each.asset_id is not None
    ]
    rows = PostMedia()
    name = chosen_format(adapter, arguments.format, [asset_view(asset) for asset, _ in found])
    for asset, alt_text in found:
        shown = await ready(context, adapter, name, asset)
        if shown is None:
            raise Conflict(
                f"{asset.name} has to be converted before {adapter.manifest.title} takes it, and a yes is for exactly"
                " what is shown.",
                code="draft_first",
                action="Draft it without `when` and `publish_now`; then schedule or publish the draft.",
            )
        rows.append(PostMediumRow(medium=PostMedium(alt_text=alt_text), asset=shown))
    return rows


def _unkept(context: Context, arguments: CreateDraft, account: Account) -> Post:
    return Post(
        id=new_id(),
        workspace_id=context.workspace_id,
        account_id=account.id,
        platform=account.platform,
        format=arguments.format or "",
        options=dict(arguments.options),
        status=Status.DRAFT,
        approval=Approval.NONE,
        caption=arguments.caption or "",
        about=arguments.about,
        created_by=context.principal.user_id,
        version=1,
    )


@command(
    title="Draft a post",
    effect=Effect.WRITE,
    effect_of=_effect,
    propose=_propose,
    gather=gather_draft,
    rest="POST /v1/posts",
)
async def create_draft(context: Context, arguments: CreateDraft, gathered: Draft) -> PostReceipt:
    """Draft a post for one account, with its words and media.

    Give `caption` only for words the person dictated; else give `about` and Studio writes the caption. Leave `when` out
    unless the person wants it scheduled at once. What is still missing comes back in `warnings`.
    """
    account = await choose_account(
        context.session, context.doors.adapters, platform=arguments.platform, reference=arguments.account_id
    )
    adapter = context.doors.adapters[account.platform]
    post = _unkept(context, arguments, account)
    post.code, post.caption = await free_code(context), gathered.caption
    post.options = await stored_options(context, arguments.options)
    context.session.add(post)
    await context.session.flush()
    await posts.replace_media(context.session, post, gathered.fitted.media)
    if arguments.format is None:
        media = (await posts.media_of(context.session, [post.id]))[post.id]
        post.format = adapter.choose_format(content_of(post, media))
    warnings = await _place(context, arguments, post, account, adapter)
    await made(context, post)
    await speak_of(context, post)
    shown = (await views(context, [post]))[0]
    summary = _created(post, account, shown.receipt)
    return PostReceipt(
        summary=f"{summary}{_source(gathered.rests_on)}", post=shown, warnings=gathered.fitted.warnings + warnings
    )


def _created(post: Post, account: Account, receipt: str | None) -> str:
    match post.status:
        case Status.SCHEDULED:
            return f"Scheduled {label(post)} on {account_label(account)} for {receipt}."
        case Status.PUBLISHING:
            return f"{label(post)} is going out on {account_label(account)} now."
        case _:
            return f"Drafted {post.code} for {account_label(account)}: “{post.caption}”"


def _source(rests_on: str | None) -> str:
    return f" ({rests_on})" if rests_on else ""


async def _place(
    context: Context, arguments: CreateDraft, post: Post, account: Account, adapter: Adapter
) -> tuple[str, ...]:
    """Put a new post on the calendar, send it, or leave it a draft; returns the warnings."""
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    if arguments.publish_now:
        require_publishable(adapter, post, media)
        await consented(context, post)
        send_now(context, post, media)
        context.after_commit.append(lambda: context.doors.wake("posts"))
        return ()
    if arguments.when is not None:
        require_publishable(adapter, post, media)
        moment = await resolve_time(context, arguments.when, post, account, adapter.manifest)
        post.status, post.scheduled_for, post.next_attempt_at = Status.SCHEDULED, moment.instant, moment.instant
        post.wall_time, post.zone = moment.wall_time, moment.zone
        await consented(context, post)
        context.after_commit.append(lambda: context.doors.wake("posts"))
        return await clash_warnings(context, post, moment.instant)
    return tuple(f"Before it can go out: {problem.message}" for problem in adapter.validate(content_of(post, media)))


async def gather_edit(context: Context, arguments: EditDraft) -> Draft:
    """Bring in and fit the media and write the new words, for the post as it is now."""
    async with context.doors.database.session(context.workspace_id) as session:
        reading = context.inside(session)
        post = await resolve_post(reading, arguments.post_id)
        require_editable(post)
        account = await accounts.get(session, post.account_id)
        assert account is not None
        present = await sources_of(reading, post)
    adapter = context.doors.adapters[account.platform]
    media, seen = Fitted(), tuple(UUID(each.asset.id) for each in present)
    if arguments.media is not None:
        media = await fitted(context, adapter, arguments.format, await bring_in(context, arguments.media))
    elif arguments.format is not None and present:
        _require_format(adapter, arguments.format)
        media = await fitted(context, adapter, arguments.format, present)
    if arguments.caption is not None or arguments.about is None:
        return Draft(fitted=media, caption=arguments.caption or "", rests_on=None, seen=seen)
    caption, rests_on = await _write(context, account, arguments.about, arguments.format or post.format)
    return Draft(fitted=media, caption=caption, rests_on=rests_on, seen=seen)


@command(title="Edit a post", effect=Effect.WRITE, gather=gather_edit, rest="PATCH /v1/posts/{post_id}")
async def edit_draft(context: Context, arguments: EditDraft, gathered: Draft) -> PostReceipt:
    """Change the words, media or format of a post that is not live yet, whether draft or scheduled.

    Only what is named changes; `media` replaces all media. To change the time use move_post.
    """
    post = await resolve_post(context, arguments.post_id, lock=True)
    require_editable(post)
    await require_version(context, post, arguments.version)
    before, as_agreed = await snapshot(context, post), await hash_of(context, post)
    adapter = context.doors.adapters[post.platform]
    if arguments.caption is not None or arguments.about is not None:
        post.caption = gathered.caption
        post.about = arguments.about if arguments.about is not None else post.about
    if arguments.options is not None:
        post.options = await stored_options(context, arguments.options)
    if arguments.media is None and gathered.fitted.media:
        await require_same_media(context, post, gathered.seen)
    if arguments.media is not None or gathered.fitted.media:
        await posts.replace_media(context.session, post, gathered.fitted.media)
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    if arguments.format is not None or arguments.media is not None:
        _require_format(adapter, arguments.format)
        post.format = arguments.format or adapter.choose_format(content_of(post, media))
    if post.status == Status.SCHEDULED:
        require_publishable(adapter, post, media)
    await edit_consent(context, post, as_agreed)
    await changed(context, post, before)
    await speak_of(context, post)
    shown = (await views(context, [post]))[0]
    broken = tuple(f"Before it can go out: {each.message}" for each in adapter.validate(content_of(post, media)))
    return PostReceipt(
        summary=f"Changed {label(post)}{_source(gathered.rests_on)}.",
        post=shown,
        warnings=gathered.fitted.warnings + broken + needs_a_yes(post),
    )


def _require_format(adapter: Adapter, name: str | None) -> None:
    if name is None or adapter.manifest.format_rules(name) is not None:
        return
    known = ", ".join(rules.name for rules in adapter.manifest.formats)
    reason = adapter.manifest.cannot.get(name, f"it has {known}")
    message = f"{adapter.manifest.title} has no format {name!r} here: {reason}."
    problem = Problem(path="format", code="format_unknown", message=message)
    raise InvalidInput(message, code="format_unknown", action=f"Use one of: {known}.", problems=[problem])
