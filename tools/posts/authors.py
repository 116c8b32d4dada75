"""Whose words a post holds: what the agent reads of somebody else's post is noted as text from outside."""

import re
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from db.models.post import Post
from db.queries import people
from db.queries.posts import PostMediumRow
from tools.context import Context, Role, Surface
from tools.outside import OF_MEMBERS, OF_STRANGERS, OutsideText, is_label

COLLEAGUES = "posts of a member who may not approve"
FILE_NAMES = "file names"
NOBODY = "posts that no member wrote"
NETWORKS = "words of a network's server"

# How an adapter quotes a server; what stands there else are Studio's own words.
_QUOTES = re.compile(r"(?:answered|grants no new token): ")


async def note_others_words(
    context: Context, found: Sequence[Post], media: Mapping[UUID, Sequence[PostMediumRow]]
) -> None:
    """Note what in these posts is in words of others, as far as the agent is about to read them.

    A post's words are those of whoever made it or last changed what it says. They grant what that member may do: those
    of somebody who may approve, and the person's own, hold nothing back.
    """
    if context.caller.surface is not Surface.AGENT or not found:
        return
    trusted = {context.principal.user_id, *await _approvers(context)}
    for post in found:
        of_post = media.get(post.id, ())
        if post.created_by not in trusted:
            context.outside.extend(_words(post, of_post))
        context.outside.extend(
            OutsideText(source=FILE_NAMES, text=row.asset.name) for row in of_post if not is_label(row.asset.name)
        )
        if post.last_error is not None:
            note_network_words(context, str(post.last_error.get("message", "")))


def note_network_words(context: Context, message: str) -> None:
    """Note a message that quotes what a network's server said."""
    if _QUOTES.search(message):
        context.outside.append(OutsideText(source=NETWORKS, text=message))


async def _approvers(context: Context) -> set[UUID]:
    roles = [role.value for role in Role if role.may_approve]
    return set(await people.users_with_role(context.session, roles))


def _words(post: Post, media: Sequence[PostMediumRow]) -> Iterator[OutsideText]:
    texts = [post.caption, post.about, *(row.medium.alt_text for row in media), *_strings(post.options)]
    source, ceiling = (NOBODY, OF_STRANGERS) if post.created_by is None else (COLLEAGUES, OF_MEMBERS)
    yield from (OutsideText(source=source, text=text, ceiling=ceiling) for text in texts if text)


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for one in value.values():
                yield from _strings(one)
        case list() | tuple():
            for one in value:
                yield from _strings(one)
        case _:
            return
