"""What can be asked: whose session it is, who bears a handle, records, and how often a post was liked."""

from datetime import UTC, datetime

from sandbox.accounts import Account, list_accounts
from sandbox.bluesky import neighbour
from sandbox.bluesky.calls import XrpcCall
from sandbox.bluesky.errors import XrpcError, invalid_request, upstream_failure
from sandbox.bluesky.repository import COLLECTION, PLATFORM, listed, newest, read, uri_of
from sandbox.posts import Post, read_post
from sandbox.store import Store

MOST_URIS = 25
MOST_RECORDS = 100
AFTER_EVERYTHING, BEFORE_EVERYTHING = "~", ""


def permalink(base_url: str, handle: str, uri: str) -> str:
    """Where people read it: the sandbox's own pages stand in for bsky.app."""
    return f"{base_url}/profile/{handle}/post/{uri.rsplit('/', 1)[-1]}"


def resident(store: Store, actor: str) -> Account | None:
    """The account of a handle or a DID."""
    found = (account for account in list_accounts(store) if account.platform == PLATFORM)
    return next((account for account in found if actor in (account.handle, account.external_id)), None)


async def get_session(call: XrpcCall) -> dict[str, object]:
    """GET com.atproto.server.getSession."""
    return {
        "did": call.account.external_id,
        "handle": call.account.handle,
        "email": "somebody@sandbox.test",
        "emailConfirmed": False,
        "active": True,
    }


async def resolve_handle(call: XrpcCall) -> dict[str, object]:
    """GET com.atproto.identity.resolveHandle."""
    handle = call.query.get("handle", "").lower()
    if handle == neighbour.HANDLE:
        return {"did": neighbour.DID}
    found = resident(call.world.store, handle)
    if found is None:
        raise invalid_request("Unable to resolve handle")
    return {"did": found.external_id}


async def get_record(call: XrpcCall) -> dict[str, object]:
    """GET com.atproto.repo.getRecord; of other people too."""
    actor, rkey = call.query.get("repo", ""), call.query.get("rkey", "")
    if actor in (neighbour.HANDLE, neighbour.DID) and rkey == neighbour.KEY:
        return neighbour.record()
    account = resident(call.world.store, actor)
    record = read(call.world.store, account.external_id, rkey) if account else None
    if account is None or record is None or call.query.get("collection") != COLLECTION:
        raise XrpcError("RecordNotFound", f"Could not locate record: at://{actor}/{COLLECTION}/{rkey}")
    return {"uri": uri_of(account.external_id, rkey), "cid": record.cid, "value": record.value}


async def list_records(call: XrpcCall) -> dict[str, object]:
    """GET com.atproto.repo.listRecords: the newest first, or from a key on with ``reverse``."""
    account = resident(call.world.store, call.query.get("repo", ""))
    if account is None:
        raise invalid_request(f"Could not find repo: {call.query.get('repo')}")
    limit = call.number("limit", default=50, most=MOST_RECORDS)
    store, owner, cursor = call.world.store, account.external_id, call.query.get("cursor")
    if call.query.get("reverse") == "true":
        found = listed(store, owner, after=cursor or BEFORE_EVERYTHING, limit=limit)
    else:
        found = newest(store, owner, before=cursor or AFTER_EVERYTHING, limit=limit)
    records = [{"uri": uri_of(owner, each.rkey), "cid": each.cid, "value": each.value} for each in found]
    return {"records": records, **({"cursor": found[-1].rkey} if found else {})}


async def get_posts(call: XrpcCall) -> dict[str, object]:
    """GET app.bsky.feed.getPosts, which the server asks of the service behind it; unknown posts are left out."""
    if call.world.conditions.bluesky_view_down:
        raise upstream_failure()
    if not 1 <= len(call.uris) <= MOST_URIS:
        raise invalid_request(f"array too big (maximum {MOST_URIS}, got {len(call.uris)}) at $.uris")
    posts = [read_post(call.world.store, uri) for uri in dict.fromkeys(call.uris)]
    return {"posts": [_seen(call, post) for post in posts if post is not None and post.platform == PLATFORM]}


def _seen(call: XrpcCall, post: Post) -> dict[str, object]:
    author = resident(call.world.store, post.account)
    record = read(call.world.store, post.account, post.id.rsplit("/", 1)[-1])
    return {
        "uri": post.id,
        "cid": record.cid if record else "",
        "author": {"did": post.account, "handle": author.handle if author else ""},
        "record": record.value if record else {},
        "likeCount": post.like_count,
        "replyCount": post.comments_count,
        "repostCount": post.counts.get("shares", 0),
        "quoteCount": 0,
        "bookmarkCount": post.counts.get("saves", 0),
        "indexedAt": datetime.fromtimestamp(post.published_at, UTC).isoformat().replace("+00:00", "Z"),
    }
