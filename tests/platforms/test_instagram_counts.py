"""What Instagram counts of a live post, and what it keeps to itself."""

import pytest

from platforms.base import Counts
from platforms.errors import RateLimited
from tests.platforms.cases.instagram import good_covered_reel, good_image, good_story, open_instagram
from tests.platforms.contract import new_walk
from tests.platforms.world import FileServer, Sandbox

AUDIENCE = {"views": 120, "reach": 90, "likes": 12, "comments": 3, "shares": 4, "saves": 5}
MAKERS = {"image": good_image, "reel": good_covered_reel, "story": good_story}


async def count(sandbox: Sandbox, post_id: str, audience: dict[str, int]) -> None:
    (await sandbox.control.post(f"/_sandbox/posts/{post_id}/counts", json=audience)).raise_for_status()


@pytest.mark.parametrize("login", ["facebook", "instagram"])
@pytest.mark.parametrize("kind", MAKERS)
async def test_counts_are_those_of_the_audience(sandbox: Sandbox, files: FileServer, login: str, kind: str) -> None:
    async with open_instagram(sandbox.url) as adapter:
        credentials = await sandbox.connect("instagram", login=login)
        content = MAKERS[kind](files, "Counted")
        walk = new_walk(adapter, sandbox, files, content=content, credentials=credentials)
        post_id = (await walk.finish()).platform_post_id
        assert post_id is not None
        ours = 1 if content.options.get("first_comment") else 0
        assert await adapter.read_counts(credentials, [post_id, "17900000000000001"]) == {
            post_id: Counts(likes=0, comments=ours)
        }, "what is not counted yet is not zero"
        await count(sandbox, post_id, AUDIENCE)
        saves = None if kind == "story" else 5
        assert await adapter.read_counts(credentials, [post_id]) == {
            post_id: Counts(views=120, reach=90, likes=12, comments=3 + ours, shares=4, saves=saves)
        }


async def test_a_limit_is_told(sandbox: Sandbox, files: FileServer) -> None:
    async with open_instagram(sandbox.url) as adapter:
        credentials = await sandbox.connect("instagram")
        content = good_image(files, "Asked too often")
        walk = new_walk(adapter, sandbox, files, content=content, credentials=credentials)
        post_id = (await walk.finish()).platform_post_id
        assert post_id is not None
        await sandbox.plant("instagram.media_insights", "rate_limit", match=credentials.external_id)
        with pytest.raises(RateLimited):
            await adapter.read_counts(credentials, [post_id])
