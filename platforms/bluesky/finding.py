"""Did a Bluesky publish happen? The account's repository has a post under our key, or it has none (pure)."""

from core.jsontypes import JsonObject
from platforms.base import Finding, Publish
from platforms.bluesky.records import records_of
from platforms.progress import inner, text


def by_record(publish: Publish, found: JsonObject | None) -> Finding:
    """What the record under the key of the first post tells; the posts of a thread are there together or not at all."""
    record = records_of(publish.content, publish.progress, did=publish.credentials.external_id)[0]
    evidence: JsonObject = {"uri": record.uri, "expected_cid": record.cid}
    if found is None:
        reason = "Nothing lies under the key that Studio chose for the post."
        return Finding(outcome="not_posted", evidence={**evidence, "reason": reason})
    evidence = {**evidence, "cid": text(found, "cid")}
    if record.uri in publish.known_post_ids or not _is_ours(record.cid, record.value, found):
        reason = "Under the key that Studio chose lies another post."
        return Finding(outcome="unknown", evidence={**evidence, "reason": reason})
    return Finding(
        outcome="posted",
        evidence={**evidence, "matched_by": "key and content"},
        progress={"uri": record.uri, "cid": text(found, "cid")},
    )


def _is_ours(cid: str, value: JsonObject, found: JsonObject) -> bool:
    """The same bytes; or at least the same words and time, should a server write a post in another form."""
    shown = inner(found, "value")
    return text(found, "cid") == cid or all(shown.get(name) == value[name] for name in ("text", "createdAt"))
