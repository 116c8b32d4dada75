"""fit_media: giving a post's pictures and films a ratio that its network takes."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import Field

from core.errors import InvalidInput, Problem
from db.models.post import Status
from db.queries import posts
from tools.command import Arguments, Effect, command
from tools.context import Context
from tools.media.fit import Crop
from tools.posts.changes import changed, edit_consent, hash_of, needs_a_yes, require_editable, snapshot
from tools.posts.content import content_of, require_publishable
from tools.posts.fitting import Fitted, fitted, require_same_media, sources_of
from tools.posts.references import resolve_post, speak_of
from tools.posts.view import PostReceipt, label, views

_POST_ID = "the post: its id, its short code such as K7RMD, or words: 'it', 'the last draft', 'the espresso post'"


class FitMedia(Arguments):
    """Arguments of fit_media."""

    post_id: str = Field(max_length=300, description=_POST_ID)
    crop: Literal["fill", "border", "smart"] = Field(
        description="fill: cut from the middle; border: whole, with a border; smart: cut where there is most to see"
    )
    position: int | None = Field(
        None, ge=1, le=35, description="which medium, 1 is the first; all that need it when left out"
    )


@dataclass(frozen=True, kw_only=True)
class Refit:
    """The media made anew, and those that the post had then."""

    fitted: Fitted
    seen: tuple[UUID, ...]


async def gather_fit(context: Context, arguments: FitMedia) -> Refit:
    """Make the media from their originals, with no session open."""
    async with context.doors.database.session(context.workspace_id) as session:
        reading = context.inside(session)
        post = await resolve_post(reading, arguments.post_id)
        require_editable(post)
        sources = await sources_of(reading, post)
    if arguments.position is not None and arguments.position > len(sources):
        message = f"{label(post)} has {len(sources)} media; there is no number {arguments.position}."
        problem = Problem(path="position", code="no_such_medium", message=message)
        raise InvalidInput(message, code="no_such_medium", action="Count from 1.", problems=[problem])
    only = None if arguments.position is None else arguments.position - 1
    adapter = context.doors.adapters[post.platform]
    made = await fitted(context, adapter, post.format, sources, crop=Crop(arguments.crop), only=only)
    if not made.made:
        raise InvalidInput(
            f"Nothing was changed: {adapter.manifest.title} takes the ratio of {label(post)} as it is,"
            " or it has this crop already.",
            code="nothing_to_fit",
            action="Look at the post's warnings for what is missing.",
        )
    return Refit(fitted=made, seen=tuple(UUID(each.asset.id) for each in sources))


@command(title="Fit a post's media", effect=Effect.WRITE, gather=gather_fit, rest="POST /v1/posts/{post_id}/fit")
async def fit_media(context: Context, arguments: FitMedia, gathered: Refit) -> PostReceipt:
    """Give a post's pictures or film a ratio that its network takes, once the person has chosen how.

    Use it when a warning offers crops: ask which one, do not choose for the person. The originals are kept, and undo
    brings back what was there.
    """
    post = await resolve_post(context, arguments.post_id, lock=True)
    require_editable(post)
    await require_same_media(context, post, gathered.seen)
    before, as_agreed = await snapshot(context, post), await hash_of(context, post)
    adapter = context.doors.adapters[post.platform]
    await posts.replace_media(context.session, post, gathered.fitted.media)
    media = (await posts.media_of(context.session, [post.id]))[post.id]
    if post.status == Status.SCHEDULED:
        require_publishable(adapter, post, media)
    await edit_consent(context, post, as_agreed)
    await changed(context, post, before)
    await speak_of(context, post)
    broken = tuple(f"Before it can go out: {each.message}" for each in adapter.validate(content_of(post, media)))
    return PostReceipt(
        summary=f"Fitted {label(post)}: {' '.join(gathered.fitted.warnings)}",
        post=(await views(context, [post]))[0],
        warnings=broken + needs_a_yes(post),
    )
