"""Somebody who always lives in this world, with one post: whom others may mention and answer."""

from sandbox.bluesky.cids import cid_of_record

HANDLE = "neighbour.test"
DID = "did:plc:neighbourofthesandbox"
KEY = "3lneighbour22"
URI = f"at://{DID}/app.bsky.feed.post/{KEY}"
VALUE: dict[str, object] = {
    "$type": "app.bsky.feed.post",
    "text": "What are you drinking this morning?",
    "createdAt": "2026-11-01T08:00:00.000Z",
}


def record() -> dict[str, object]:
    """The post, as getRecord answers it."""
    return {"uri": URI, "cid": cid_of_record(VALUE), "value": VALUE}
