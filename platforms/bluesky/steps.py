"""The walk of a Bluesky publish: which step follows, and what it sends (pure).

begin -> [resolve_mention_1 …] -> [read_parent] -> [upload_image_1 …] -> publish, or publish_thread

begin asks whose session it is, and fixes the keys and times of all posts. A single post is put under its key if nothing
is there; a thread is one commit of the repository: all of it is live, or nothing.

Progress keys: handle, keys, created_at, mentions, parent, blobs, uri, cid.
"""

from core.jsontypes import JsonObject
from platforms.base import Content, Done, RepeatSafety, Step
from platforms.bluesky.facets import handles_in
from platforms.bluesky.rules import further_texts, place_of
from platforms.progress import inner, names, objects, text

RESOLVE = "resolve_mention_"
UPLOAD = "upload_image_"
THREAD = "publish_thread"
_NO_HANDLE = "handle.invalid"  # the network's word for an account whose handle leads nowhere


def next_step(content: Content, progress: JsonObject, *, web_url: str) -> Step | Done:
    """What comes next for this content, given what is known."""
    uri = text(progress, "uri")
    if uri is not None:
        return Done(platform_post_id=uri, permalink=permalink(progress, uri, web_url))
    keys = names(progress, "keys")
    if not keys:
        return Step(name="begin", sends={})
    return _prepare(content, progress) or _publish(content, progress)


def permalink(progress: JsonObject, uri: str, web_url: str) -> str:
    """Where people read a post."""
    handle = text(progress, "handle")
    actor = uri.split("/")[2] if handle in {None, _NO_HANDLE} else handle
    return f"{web_url}/profile/{actor}/post/{uri.rsplit('/', 1)[-1]}"


def texts_of(content: Content) -> tuple[str, ...]:
    """All texts of a content, in their order."""
    return (content.caption, *further_texts(content))


def unresolved(content: Content, progress: JsonObject) -> tuple[str, ...]:
    """The handles in the texts that were not asked for yet."""
    known = inner(progress, "mentions")
    return tuple(handle for handle in handles_in(texts_of(content)) if handle not in known)


def _prepare(content: Content, progress: JsonObject) -> Step | None:
    if handles := unresolved(content, progress):
        number = len(inner(progress, "mentions")) + 1
        return Step(name=f"{RESOLVE}{number}", sends={"handle": handles[0]})
    place = place_of(content.options.get("reply_to"))
    if place is not None and not inner(progress, "parent"):
        return Step(name="read_parent", sends={"repo": place.actor, "rkey": place.key})
    sent = len(objects(progress, "blobs"))
    if sent < len(content.media):
        medium = content.media[sent]
        return Step(name=f"{UPLOAD}{sent + 1}", sends={"asset_id": medium.asset_id, "size_bytes": medium.size_bytes})
    return None


def _publish(content: Content, progress: JsonObject) -> Step:
    sends: JsonObject = {
        "rkeys": list(names(progress, "keys")),
        "created_at": text(progress, "created_at"),
        "texts": list(texts_of(content)),
        "assets": [medium.asset_id for medium in content.media],
        **{name: content.options[name] for name in ("link", "reply_to") if name in content.options},
    }
    name = THREAD if further_texts(content) else "publish"
    return Step(name=name, sends=sends, irreversible=True, repeat=RepeatSafety.OWN_ID)
