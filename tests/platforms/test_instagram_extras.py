"""What goes with an Instagram post: its first comment once, whatever breaks; a reel's own cover; its collaborators."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.jsontypes import JsonObject
from platforms.base import Content
from platforms.errors import OutcomeUnknown
from tests.platforms.cases.instagram import good_commented_image, good_covered_reel, open_instagram
from tests.platforms.contract import Walk, new_walk
from tests.platforms.world import FileServer, Sandbox


async def live(walk: Walk) -> JsonObject:
    """The one post of the account, as the feed tells it."""
    answer = await walk.sandbox.control.get("/_sandbox/feed", params={"account": walk.publish.credentials.handle})
    (post,) = answer.raise_for_status().json()["items"]
    assert isinstance(post, dict)
    return post


async def messages(walk: Walk) -> list[str]:
    comments = (await live(walk))["comments"]
    assert isinstance(comments, list)
    return [comment["message"] for comment in comments]


@pytest.mark.parametrize("breakage", ["drop_before", "drop_after", "killed before", "killed after"])
async def test_the_first_comment_is_written_once(sandbox: Sandbox, files: FileServer, breakage: str) -> None:
    async with open_instagram(sandbox.url) as adapter:
        credentials = await sandbox.connect("instagram", login="instagram")
        content = good_commented_image(files, f"Once, {breakage}")
        walk = new_walk(adapter, sandbox, files, content=content, credentials=credentials)
        intent = await walk.before("first_comment")
        assert intent.irreversible
        assert intent.otherwise is not None
        if breakage.startswith("drop"):
            await sandbox.plant("instagram.comment", breakage, match=credentials.external_id)
            with pytest.raises(OutcomeUnknown):
                await walk.perform(intent)
        elif breakage == "killed after":
            await walk.perform_and_forget(intent)
        done = await walk.resume(intent)
        assert await messages(walk) == [content.options["first_comment"]]
        assert done.permalink


async def test_a_comment_that_was_given_up_is_passed_over(sandbox: Sandbox, files: FileServer) -> None:
    async with open_instagram(sandbox.url) as adapter:
        credentials = await sandbox.connect("instagram")
        content = good_commented_image(files, "Without a comment")
        walk = new_walk(adapter, sandbox, files, content=content, credentials=credentials)
        await walk.before("first_comment")
        walk.keep({"given_up": ["first_comment"]})
        assert (await walk.finish()).permalink
        assert await messages(walk) == []


async def test_a_comment_behind_fifty_others_is_not_called_missing(sandbox: Sandbox, files: FileServer) -> None:
    async with open_instagram(sandbox.url) as adapter:
        credentials = await sandbox.connect("instagram")
        content = good_commented_image(files, "Much talked about")
        walk = new_walk(adapter, sandbox, files, content=content, credentials=credentials)
        comment = await walk.before("first_comment")
        await walk.perform_and_forget(comment)
        others = replace(content, options={"first_comment": "Me too"})
        for _ in range(50):
            await adapter.perform(comment, replace(walk.publish, content=others))
        finding = await adapter.find(replace(walk.publish, in_doubt="first_comment"))
        assert finding.outcome == "unknown"


@pytest.mark.parametrize(
    ("make", "shown"),
    [(good_covered_reel, {"collaborators": []}), (good_commented_image, {"collaborators": ["ana"], "cover_url": None})],
)
async def test_cover_and_collaborators_arrive(
    sandbox: Sandbox, files: FileServer, make: Callable[[FileServer, str], Content], shown: JsonObject
) -> None:
    async with open_instagram(sandbox.url) as adapter:
        credentials = await sandbox.connect("instagram")
        content = make(files, "Everything with it")
        walk = new_walk(adapter, sandbox, files, content=content, credentials=credentials)
        await walk.finish()
        post = await live(walk)
        assert shown.items() <= post.items()
        if content.cover is not None:
            cover = await sandbox.control.get(str(post["cover_url"]))
            assert cover.content == b"".join([chunk async for chunk in files.read(content.cover)])
        assert "sig=" not in json.dumps(walk.written)
