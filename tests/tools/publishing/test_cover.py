"""A reel's cover from the command to the network: named by words, kept by its id, an image that is here."""

import pytest

from core.errors import InvalidInput, NotFound
from core.ids import new_id
from core.jsontypes import JsonObject
from db.models.account import Asset
from db.models.post import Post
from db.queries.posts import PostMedia
from tests.conftest import Sandbox
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tests.tools.media.samples import film
from tests.tools.publishing.conftest import Engine, Publication
from tools.posts.content import content_hash
from tools.posts.view import options_label


async def reel(desk: Desk, add_photo: AddPhoto, cover: str, **more: object) -> JsonObject:
    video = await add_photo("pour.mp4", film())
    media = [{"asset_id": video.id}]
    drafted = await desk.act("create_draft", caption="Pouring", media=media, options={"cover": cover}, **more)
    post = drafted["post"]
    assert isinstance(post, dict)
    return {**post, "warnings": drafted["warnings"]}


async def test_a_cover_named_by_words_is_kept_by_its_id(desk: Desk, add_photo: AddPhoto) -> None:
    cover = await add_photo("sunrise.jpg", jpeg(colour=(9, 9, 9)))
    post = await reel(desk, add_photo, "sunrise")
    assert post["options"] == {"cover": cover.id}
    assert not post["warnings"]
    options = {"cover": "sunrise.jpg", "share_to_feed": True}
    edited = (await desk.act("edit_draft", post_id=post["id"], options=options))["post"]
    assert isinstance(edited, dict)
    assert edited["options"] == {"cover": cover.id, "share_to_feed": True}


async def test_a_cover_is_an_image_that_is_here(desk: Desk, add_photo: AddPhoto) -> None:
    with pytest.raises(NotFound):
        await reel(desk, add_photo, str(new_id()))
    with pytest.raises(InvalidInput) as refused:
        await reel(desk, add_photo, "pour.mp4")
    assert refused.value.code == "cover_not_image"


async def test_a_cover_reaches_the_network(desk: Desk, add_photo: AddPhoto, engine: Engine, sandbox: Sandbox) -> None:
    sandbox.control("POST", "conditions", {"video_processing_seconds": 0.0})
    await add_photo("sunrise.jpg", jpeg(colour=(9, 9, 9)))
    post = await reel(desk, add_photo, "sunrise", publish_now=True)
    publication = Publication(desk=desk, sandbox=sandbox, post_id=str(post["id"]))
    await engine.until(publication.settled, patience=30)
    assert (await publication.post())["status"] == "posted", (await publication.post())["last_error"]
    (live,) = publication.live()
    assert str(live["cover_url"]).rpartition("/")[0].endswith("/_media")


def test_a_yes_is_for_the_covers_content_too() -> None:
    post = Post(account_id=new_id(), caption="", format="reel", options={"cover": "1"})
    hashes = set()
    for sha256 in ("a" * 64, "b" * 64):
        media = PostMedia()
        media.cover = Asset(id=new_id(), sha256=sha256)
        hashes.add(content_hash(post, media))
    assert len(hashes) == 2


def test_what_a_person_agrees_to_names_the_settings_too() -> None:
    media = PostMedia()
    media.cover = Asset(id=new_id(), name="sunrise.jpg", sha256="a" * 64)
    options = {"cover": str(media.cover.id), "first_comment": "Beans in bio", "collaborators": ["ana", "ben"]}
    post = Post(account_id=new_id(), caption="", format="reel", options=options)
    said = " (collaborators: “ana, ben”; cover: “sunrise.jpg”; first comment: “Beans in bio”)"
    assert options_label(post, media) == said
    assert options_label(Post(options={}), media) == ""
