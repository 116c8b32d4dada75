"""The walk of an Instagram publish: which step follows, what it sends, and the delays between (pure).

image      create_container -> check_container… -> publish -> [first_comment] -> read_permalink
carousel   create_child_1 … create_child_n -> create_container -> check_container… -> publish -> …
video      create_container -> [upload -> [check_upload -> upload]…] -> check_container… -> publish -> …

A reel is a video; a story is an image or a video, and takes no comment. Progress keys: children, container_id,
transfer ("upload" or "link"), uploaded, upload_offset, upload_tries, checks, ready, media_id, comment_id, permalink,
permalink_tries; given_up is the engine's (``platforms.base.Step``).
"""

import json
from collections.abc import Sequence

from core.jsontypes import JsonObject
from platforms.base import Content, Done, RepeatSafety, Step
from platforms.graph_upload import upload_step
from platforms.progress import count, names, text

CREATE_CHILD = "create_child_"
FIRST_COMMENT = "first_comment"

# Meta asks for a look once a minute for at most five; small media are ready much sooner, large ones much later.
FIRST_CHECK_SECONDS = 2.0
LONGEST_CHECK_SECONDS = 60.0
MAX_CHECKS = 30
# A post that has just gone live may not be readable at once on every machine of Meta's.
MAX_PERMALINK_TRIES = 4


def next_step(content: Content, progress: JsonObject) -> Step | Done:
    """What comes next for this content, given what is known."""
    if text(progress, "media_id") is not None:
        return _after_publish(content, progress)
    children = names(progress, "children")
    if content.format == "carousel" and len(children) < len(content.media):
        return _create_child(content, len(children))
    container_id = text(progress, "container_id")
    if container_id is None:
        return _create_container(content, children)
    if progress.get("transfer") == "upload":
        upload = upload_step(progress, content.media[0], target={"container_id": container_id})
        if upload is not None:
            return upload
    # Asked for images too: "not ready" and "published before" are one error of media_publish, and must not be mixed up.
    if not progress.get("ready"):
        return _check_container(content, progress, container_id)
    return Step(
        name="publish",
        sends={"creation_id": container_id},
        irreversible=True,
        repeat=RepeatSafety.WITNESS,
    )


def child_form(content: Content, position: int, *, link: str) -> dict[str, str]:
    """The parameters of one carousel child; ``link`` is its public address."""
    form = {"image_url": link, "is_carousel_item": "true"}
    alt_text = content.media[position].alt_text
    return form | ({"alt_text": alt_text} if alt_text else {})


def container_form(
    content: Content, children: Sequence[str], *, link: str | None, cover_link: str | None = None
) -> dict[str, str]:
    """The parameters of the container that is published; ``link`` None: nothing to fetch, or a resumable upload."""
    form = {"caption": content.caption} if content.caption else {}
    if names(content.options, "collaborators"):
        handles = [name.removeprefix("@") for name in names(content.options, "collaborators")]
        form["collaborators"] = json.dumps(handles)
    video = {"upload_type": "resumable"} if link is None else {"video_url": link}
    match content.format:
        case "carousel":
            return form | {"media_type": "CAROUSEL", "children": ",".join(children)}
        case "reel":
            return form | {"media_type": "REELS"} | video | _reel_options(content.options, cover_link)
        case "story":
            image = {"image_url": link} if link else {}
            return {"media_type": "STORIES"} | (video if is_video(content) else image)
        case _:
            alt_text = content.media[0].alt_text
            return form | ({"image_url": link} if link else {}) | ({"alt_text": alt_text} if alt_text else {})


def is_video(content: Content) -> bool:
    """Whether it is one video: handed in by upload or link, and processed for a while."""
    return bool(content.media) and content.media[0].kind == "video"


def first_comment(content: Content) -> str:
    """The words that go under the post; "" when there are none. A story takes no comment."""
    return "" if content.format == "story" else text(content.options, "first_comment") or ""


def _reel_options(options: JsonObject, cover_link: str | None) -> dict[str, str]:
    form = {"cover_url": cover_link} if cover_link else {}
    if "share_to_feed" in options:
        form["share_to_feed"] = str(options["share_to_feed"]).lower()
    if "thumb_offset" in options and not cover_link:  # the cover would beat it
        form["thumb_offset"] = str(options["thumb_offset"])
    return form


def _create_child(content: Content, position: int) -> Step:
    medium = content.media[position]
    return Step(name=f"{CREATE_CHILD}{position + 1}", sends={"asset_id": medium.asset_id, "alt_text": medium.alt_text})


def _create_container(content: Content, children: Sequence[str]) -> Step:
    # The evidence names assets, not links: a signed link is a secret for as long as it lives.
    sends = {
        **container_form(content, children, link=None),
        "media_type": {"image": "IMAGE", "carousel": "CAROUSEL", "reel": "REELS", "story": "STORIES"}.get(
            content.format
        ),
        "assets": [medium.asset_id for medium in content.media],
        **({"cover": content.cover.asset_id} if content.cover else {}),
    }
    sends.pop("upload_type", None)  # whether it is uploaded or fetched depends on the account's login
    return Step(name="create_container", sends=sends)


def _check_container(content: Content, progress: JsonObject, container_id: str) -> Step:
    checks = count(progress, "checks")
    growing = min(FIRST_CHECK_SECONDS * 2.0**checks, LONGEST_CHECK_SECONDS)
    # Images are fetched while their container is created: it is usually ready at once.
    delay = 0.0 if not is_video(content) and checks == 0 else growing
    return Step(name="check_container", sends={"container_id": container_id}, delay=delay)


def _after_publish(content: Content, progress: JsonObject) -> Step | Done:
    media_id, permalink = text(progress, "media_id"), text(progress, "permalink")
    tries = count(progress, "permalink_tries")
    note = None if permalink else "Instagram published the post but does not show its address."
    done = Done(platform_post_id=media_id, permalink=permalink, note=note)
    comment = first_comment(content)
    if comment and text(progress, "comment_id") is None and FIRST_COMMENT not in names(progress, "given_up"):
        sends: JsonObject = {"media_id": media_id, "message": comment}
        return Step(name=FIRST_COMMENT, sends=sends, irreversible=True, repeat=RepeatSafety.LOOK, otherwise=done)
    if permalink is not None or tries >= MAX_PERMALINK_TRIES:
        return done
    pause = 2.0**tries if tries else 0.0
    return Step(name="read_permalink", sends={"media_id": media_id}, delay=pause, otherwise=done)
