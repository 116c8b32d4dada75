"""The calls a Bluesky publish makes, one per step, and the read that looks for what became of it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from core.jsontypes import JsonObject
from platforms.base import Credentials, Publish
from platforms.bluesky import steps
from platforms.bluesky.api import BlueskyApi
from platforms.bluesky.errors import ALREADY_THERE, NOT_FOUND
from platforms.bluesky.records import Record, new_keys, records_of
from platforms.bluesky.rules import COLLECTION, place_of
from platforms.errors import AccountBlocked, ContentRefused, OutcomeUnknown, ReconnectNeeded, Refused, Transient
from platforms.http import undecided
from platforms.progress import inner, objects, text


class PublishCalls:
    """Makes the calls; each step returns what to merge into the progress and raises ``platforms.errors``."""

    def __init__(self, api: BlueskyApi) -> None:
        self._api = api

    async def begin(self, publish: Publish) -> JsonObject:
        """Ask whose session it is, and choose the keys and the time of what will be written."""
        session = await self.read_session(publish.credentials)
        if text(session, "did") != publish.credentials.external_id:
            raise ReconnectNeeded("The session is another account's.")
        if session.get("active") is False:
            status = text(session, "status") or "not active"
            raise AccountBlocked(f"Bluesky holds the account back: it is {status}.")
        return {
            "handle": text(session, "handle"),
            "keys": new_keys(len(steps.texts_of(publish.content))),
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }

    async def read_session(self, credentials: Credentials) -> JsonObject:
        """Whose token it is, by the server's word."""
        return await self._api.ask("com.atproto.server.getSession", {}, token=credentials.access_token)

    async def resolve_mention(self, publish: Publish) -> JsonObject:
        """Ask who bears a handle; one that nobody bears stays plain text."""
        handle = steps.unresolved(publish.content, publish.progress)[0]
        try:
            answer = await self._api.ask(
                "com.atproto.identity.resolveHandle", {"handle": handle}, token=publish.credentials.access_token
            )
        except ContentRefused:
            answer = {}
        return {"mentions": {**inner(publish.progress, "mentions"), handle: text(answer, "did")}}

    async def read_parent(self, publish: Publish) -> JsonObject:
        """Read the post that is to be answered: an answer names it, and the post that its thread began with."""
        place = place_of(publish.content.options.get("reply_to"))
        assert place is not None
        try:
            found = await self._read_record(publish.credentials, place.actor, place.key)
        except ContentRefused:
            found = None
        if found is None:
            raise ContentRefused(
                "Bluesky does not know the post that is to be answered.",
                code="reply_target_missing",
                action="Check the address in reply_to, then schedule the post again.",
            )
        post: JsonObject = {"uri": text(found, "uri"), "cid": text(found, "cid")}
        return {"parent": {"post": post, "root": inner(found, "value", "reply", "root") or post}}

    async def upload_image(self, publish: Publish) -> JsonObject:
        """Hand in the next image."""
        sent = objects(publish.progress, "blobs")
        medium = publish.content.media[len(sent)]
        answer = await self._api.send(
            publish.media.read(medium),
            mime_type=medium.mime_type,
            size=medium.size_bytes,
            token=publish.credentials.access_token,
        )
        blob = inner(answer, "blob")
        if text(inner(blob, "ref"), "$link") is None:
            raise Transient("Bluesky answered without the name of the image.")
        return {"blobs": [*sent, blob]}

    async def publish(self, publish: Publish) -> JsonObject:
        """Put the post under its key if nothing is there. The same post again is no change and a success."""
        (record,) = records_of(publish.content, publish.progress, did=publish.credentials.external_id)
        body: JsonObject = {
            "repo": publish.credentials.external_id,
            "collection": COLLECTION,
            "rkey": record.key,
            "record": record.value,
            "validate": True,
            "swapRecord": None,
        }
        try:
            answer = await self._write("com.atproto.repo.putRecord", body, publish)
        except Refused as refusal:
            if refusal.platform_code == ALREADY_THERE:
                # Nobody else writes under this key: whether it is our post is read, not believed.
                raise OutcomeUnknown(refusal.message, platform_code=ALREADY_THERE) from refusal
            raise
        return _written(record, answer)

    async def publish_thread(self, publish: Publish) -> JsonObject:
        """Write all posts of a thread in one commit. A repeat of it is an error of the server's: it is looked into."""
        records = records_of(publish.content, publish.progress, did=publish.credentials.external_id)
        writes: list[JsonObject] = [
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": COLLECTION,
                "rkey": record.key,
                "value": record.value,
            }
            for record in records
        ]
        body: JsonObject = {"repo": publish.credentials.external_id, "validate": True, "writes": writes}
        answer = await self._write("com.atproto.repo.applyWrites", body, publish)
        return _written(records[0], (objects(answer, "results") or ({},))[0])

    async def find_record(self, publish: Publish, key: str) -> JsonObject | None:
        """What lies in the account's repository under a key, None when nothing does."""
        return await self._read_record(publish.credentials, publish.credentials.external_id, key)

    async def _read_record(self, credentials: Credentials, actor: str, key: str) -> JsonObject | None:
        parameters = {"repo": actor, "collection": COLLECTION, "rkey": key}
        try:
            return await self._api.ask("com.atproto.repo.getRecord", parameters, token=credentials.access_token)
        except Refused as refusal:
            if refusal.platform_code == NOT_FOUND:
                return None
            raise

    async def _write(self, method: str, body: JsonObject, publish: Publish) -> JsonObject:
        return await self._api.tell(method, body, token=publish.credentials.access_token, repeatable=False)

    async def delete(self, credentials: Credentials, keys: Sequence[str]) -> None:
        """Take posts out of the repository in one commit; they have to be there."""
        writes: list[JsonObject] = [
            {"$type": "com.atproto.repo.applyWrites#delete", "collection": COLLECTION, "rkey": key} for key in keys
        ]
        body: JsonObject = {"repo": credentials.external_id, "writes": writes}
        await self._api.tell("com.atproto.repo.applyWrites", body, token=credentials.access_token, repeatable=True)

    async def keys_from(self, credentials: Credentials, before: str, count: int) -> list[str]:
        """The keys of the account's posts that follow a key, oldest first."""
        answer = await self._api.ask(
            "com.atproto.repo.listRecords",
            {
                "repo": credentials.external_id,
                "collection": COLLECTION,
                "reverse": "true",
                "cursor": before,
                "limit": count,
            },
            token=credentials.access_token,
        )
        return [(text(record, "uri") or "").rsplit("/", 1)[-1] for record in objects(answer, "records")]


def _written(record: Record, answer: JsonObject) -> JsonObject:
    uri, cid = text(answer, "uri"), text(answer, "cid")
    if uri is None or cid is None:
        raise undecided("Bluesky answered without the address of the post.", repeatable=False)
    return {"uri": record.uri, "cid": cid}
