"""A past for the pretend world: posts that went live before anybody was looking, with the audience they had."""

import base64
import binascii

from fastapi import APIRouter, HTTPException, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandbox.accounts import Account, find_account
from sandbox.bluesky import repository as bluesky
from sandbox.posts import NewPicture, Post, add_post, keep_asset, set_counts
from sandbox.store import Store
from sandbox.world import world_of

history = APIRouter(prefix="/_sandbox")

# What each network calls its posts' ids among the nodes.
_NODES = {"instagram": "media", "facebook": "post", "tiktok": "tiktok_post"}


class PastPost(BaseModel):
    """A post of the past. ``kind`` is the network's word (IMAGE, REELS, PHOTO, VIDEO, TEXT); ``medium`` is base64."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str
    kind: str
    caption: str = ""
    published_at: AwareDatetime
    medium: str | None = None
    content_type: str = "image/jpeg"
    counts: dict[str, int] = Field(default_factory=dict)


@history.post("/posts")
async def add_past_post(request: Request, given: PastPost) -> dict[str, object]:
    """Let an account have published something at a time; its id."""
    store = world_of(request).store
    account = find_account(store, given.account)
    if account is None:
        raise HTTPException(404, f"No account {given.account} lives in this sandbox.")
    with store.transaction():
        if account.platform == bluesky.PLATFORM:
            post_id = _remembered(store, account, given)
        else:
            post_id = _new_id(store, account)
            add_post(store, _post(post_id, account, given), _pictures(store, post_id, given))
    set_counts(store, post_id, given.counts)
    return {"id": post_id}


def _remembered(store: Store, account: Account, given: PastPost) -> str:
    if given.medium is not None:
        raise HTTPException(422, "Of Bluesky's past the sandbox takes texts alone.")
    return bluesky.remember(store, account.external_id, given.caption, given.published_at)


def _new_id(store: Store, account: Account) -> str:
    node = store.new_node(_NODES[account.platform], platform=account.platform, account=account.external_id)
    return f"{account.external_id}_{node}" if account.platform == "facebook" else node


def _post(post_id: str, account: Account, given: PastPost) -> Post:
    return Post(
        id=post_id,
        platform=account.platform,
        account=account.external_id,
        kind=given.kind,
        caption=given.caption,
        published_at=given.published_at.timestamp(),
        like_count=0,
        pictures=(),
        comments_count=0,
        details={"privacy_level": "PUBLIC_TO_EVERYONE"} if account.platform == "tiktok" else {},
    )


def _pictures(store: Store, post_id: str, given: PastPost) -> list[NewPicture]:
    if given.medium is None:
        return []
    try:
        content = base64.b64decode(given.medium, validate=True)
    except binascii.Error:
        raise HTTPException(422, "medium is not base64.") from None
    asset_id = keep_asset(store, content, content_type=given.content_type)
    return [NewPicture(node_id=post_id, asset_id=asset_id)]
