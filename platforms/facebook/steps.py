"""The walk of a Facebook publish: which step follows, what it sends, and the delays between (pure).

text, link   publish -> read_permalink -> [first_comment]
image        publish -> read_permalink -> [first_comment]
carousel     upload_photo_1 … upload_photo_n -> publish -> read_permalink -> [first_comment]
video        publish -> check_video… -> [first_comment]
reel         start -> upload -> [check_upload -> upload]… -> publish -> check_video… -> [first_comment]
story        upload_photo_1 -> publish, or start -> upload -> [check_upload -> upload]… -> publish

Progress keys: photos, video_id, uploaded, upload_offset, upload_tries, finished, checks, post_id, permalink,
permalink_tries, comment_id; given_up is the engine's (``platforms.base.Step``).
"""

import json
from collections.abc import Sequence

from core.jsontypes import JsonObject
from platforms.base import Content, Done, RepeatSafety, Step
from platforms.graph_upload import upload_step
from platforms.progress import count, names, text

UPLOAD_PHOTO = "upload_photo_"
FIRST_CHECK_SECONDS = 2.0
LONGEST_CHECK_SECONDS = 60.0
MAX_CHECKS = 30
# A post that has just gone live may not be readable at once on every machine of Meta's.
MAX_PERMALINK_TRIES = 4
COMMENT_MISSING = "The post is live, but its first comment could not be written."
STILL_PROCESSING = "Facebook has taken the video and was still preparing it when Studio stopped asking."
NO_ADDRESS = "Facebook published the post but does not show its address."
STORY_NOTE = "Facebook gives stories no address."


def next_step(content: Content, progress: JsonObject) -> Step | Done:
    """What comes next for this content, given what is known."""
    if progress.get("finished"):
        return _after_publish(content, progress)
    prepared = _prepare(content, progress)
    if prepared is not None:
        return prepared
    repeat = {"reel": RepeatSafety.WITNESS, "story": RepeatSafety.NONE}.get(content.format, RepeatSafety.LOOK)
    return Step(name="publish", sends=_evidence(content, progress), irreversible=True, repeat=repeat)


def uploads_film(content: Content) -> bool:
    """Whether the medium goes to the upload host, rather than by its public link."""
    return content.format == "reel" or (content.format == "story" and content.media[0].kind == "video")


def feed_form(content: Content, photos: Sequence[str]) -> dict[str, str]:
    """The parameters of POST /{page}/feed."""
    form = {"message": content.caption} if content.caption else {}
    if content.format == "link":
        form["link"] = str(content.options.get("link", ""))
    if photos:
        form["attached_media"] = json.dumps([{"media_fbid": photo_id} for photo_id in photos])
    return form


def film_words(content: Content) -> dict[str, str]:
    """What a video or a reel says of itself."""
    form = {"description": content.caption} if content.caption else {}
    return form | ({"title": str(content.options["title"])} if "title" in content.options else {})


def photo_form(content: Content, position: int, *, link: str, published: bool) -> dict[str, str]:
    """The parameters of POST /{page}/photos; the words of several photos are those of their post."""
    form = {"url": link, "published": str(published).lower()}
    if published and content.caption:
        form["caption"] = content.caption
    alt_text = content.media[position].alt_text
    return form | ({"alt_text_custom": alt_text} if alt_text else {})


def _prepare(content: Content, progress: JsonObject) -> Step | None:
    """What has to be handed in before the post can be made."""
    if uploads_film(content):
        video_id = text(progress, "video_id")
        if video_id is None:
            return Step(name="start", sends={"asset_id": content.media[0].asset_id})
        return upload_step(progress, content.media[0], target={"video_id": video_id})
    wanted = len(content.media) if content.format in {"carousel", "story"} else 0
    handed_in = len(names(progress, "photos"))
    if handed_in < wanted:
        medium = content.media[handed_in]
        sends: JsonObject = {"asset_id": medium.asset_id, "alt_text": medium.alt_text}
        return Step(name=f"{UPLOAD_PHOTO}{handed_in + 1}", sends=sends)
    return None


def _evidence(content: Content, progress: JsonObject) -> JsonObject:
    # Assets are named, not links: a signed link is a secret for as long as it lives.
    evidence: JsonObject = {"format": content.format, "message": content.caption}
    if content.media:
        evidence = {**evidence, "assets": [medium.asset_id for medium in content.media]}
    for name in ("photos", "video_id"):
        if name in progress:
            evidence = {**evidence, name: progress[name]}
    return {**evidence, **{name: content.options[name] for name in ("link", "title") if name in content.options}}


def _after_publish(content: Content, progress: JsonObject) -> Step | Done:
    post_id, permalink = text(progress, "post_id"), text(progress, "permalink")
    if content.format == "story":
        return Done(platform_post_id=post_id, permalink=None, note=STORY_NOTE)
    if post_id is None:
        return _check_video(progress)
    note = None if permalink else NO_ADDRESS
    tries = count(progress, "permalink_tries")
    if permalink is None and tries < MAX_PERMALINK_TRIES and "read_permalink" not in names(progress, "given_up"):
        done = Done(platform_post_id=post_id, permalink=None, note=note)
        delay = 2.0**tries if tries else 0.0
        return Step(name="read_permalink", sends={"post_id": post_id}, delay=delay, otherwise=done)
    comment = content.options.get("first_comment")
    if comment and text(progress, "comment_id") is None:
        return Step(
            name="first_comment",
            sends={"post_id": post_id, "message": comment},
            irreversible=True,
            repeat=RepeatSafety.LOOK,
            otherwise=Done(platform_post_id=post_id, permalink=permalink, note=COMMENT_MISSING),
        )
    return Done(platform_post_id=post_id, permalink=permalink, note=note)


def _check_video(progress: JsonObject) -> Step | Done:
    video_id, checks = text(progress, "video_id"), count(progress, "checks")
    if checks >= MAX_CHECKS:
        return Done(platform_post_id=video_id, permalink=None, note=STILL_PROCESSING)
    delay = min(FIRST_CHECK_SECONDS * 2.0**checks, LONGEST_CHECK_SECONDS)
    return Step(name="check_video", sends={"video_id": video_id}, delay=delay)
