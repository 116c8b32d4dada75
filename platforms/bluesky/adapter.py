"""Bluesky's adapter: performs the steps, looks for what became of a publish, keeps sessions alive.

Behind it: the lexicons of the AT Protocol (com.atproto.*, app.bsky.*) and the behaviour of a real server, as of
November 2026.
"""

from collections.abc import Mapping, Sequence

from core.errors import Problem
from core.jsontypes import JsonObject
from platforms.base import (
    Connection,
    Content,
    Counts,
    Credentials,
    Done,
    Finding,
    Identity,
    Manifest,
    Publish,
    Step,
    TokenGrant,
)
from platforms.bluesky import facets, records, rules, steps
from platforms.bluesky.api import BlueskyApi
from platforms.bluesky.calls import PublishCalls
from platforms.bluesky.errors import login_error
from platforms.bluesky.finding import by_record
from platforms.bluesky.manifest import MANIFEST, MAX_FURTHER
from platforms.bluesky.session import Keys, expiry_of, grant_of, is_app_password
from platforms.errors import PlatformError, ReconnectNeeded, Refused, TokenExpired, Transient
from platforms.http import new_client
from platforms.progress import count, names, objects, text

_PAGE = 25  # posts that app.bsky.feed.getPosts takes at a time


class BlueskyAdapter:
    """One installation's door to Bluesky.

    ``pds_url`` is the server that the accounts live on, ``web_url`` where people read posts. ``timeout`` in seconds
    bounds every call, but of an upload only its silences. Close it with ``aclose``.
    """

    def __init__(self, *, pds_url: str, web_url: str = "https://bsky.app", timeout: float = 30.0) -> None:
        self._client = new_client(timeout=timeout)
        self._api = BlueskyApi(self._client, pds_url, deadline=timeout)
        self._calls = PublishCalls(self._api)
        self._web_url = web_url.rstrip("/")
        self._performers = {
            "begin": self._calls.begin,
            steps.RESOLVE: self._calls.resolve_mention,
            "read_parent": self._calls.read_parent,
            steps.UPLOAD: self._calls.upload_image,
            "publish": self._calls.publish,
            steps.THREAD: self._calls.publish_thread,
        }

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def manifest(self) -> Manifest:
        """What Bluesky can do here."""
        return MANIFEST

    def text_length(self, text: str) -> int:
        """The length of a text in graphemes."""
        return facets.graphemes(text)

    def choose_format(self, content: Content) -> str:
        """The format the media alone suggest."""
        return rules.choose_format(content)

    def validate(self, content: Content) -> tuple[Problem, ...]:
        """Every rule of Bluesky's the content breaks."""
        return rules.broken_rules(content)

    def next_step(self, content: Content, progress: JsonObject) -> Step | Done:
        """What comes next; the walk is drawn in ``platforms.bluesky.steps``."""
        return steps.next_step(content, progress, web_url=self._web_url)

    async def perform(self, step: Step, publish: Publish) -> JsonObject:
        """Make the step's one call; what it returns is merged into the progress."""
        return await self._performers[step.name.rstrip("0123456789")](publish)

    async def find(self, publish: Publish) -> Finding:
        """Whether a post lies under the key that was chosen for it."""
        keys = names(publish.progress, "keys")
        uri = text(publish.progress, "uri")
        if uri is not None:
            return Finding(outcome="posted", evidence={"uri": uri, "matched_by": "Bluesky's answer"})
        if not keys:
            return Finding(outcome="not_posted", evidence={"reason": "Nothing was sent that anybody could see."})
        return by_record(publish, await self._calls.find_record(publish, keys[0]))

    async def refresh(self, credentials: Credentials) -> TokenGrant:
        """Two new tokens for the refresh token; when that one is dead too, a new session with the app password, once.

        For two hours after a renewal the server answers the old refresh token with the same new ones.
        """
        keys = Keys.read(credentials.refresh_token)
        if keys is None:
            raise ReconnectNeeded("There is no refresh token for this account.")
        try:
            session = await self._api.tell(
                "com.atproto.server.refreshSession", None, token=keys.refresh_token, repeatable=True
            )
        except TokenExpired as dead:
            if keys.app_password is None:
                raise login_error(dead) from dead
            session = await self._new_session(credentials.external_id, keys.app_password)
        return grant_of(session, app_password=keys.app_password)

    async def identify(self, credentials: Credentials) -> Identity:
        """The account of this session; ``external_id`` is its DID."""
        return _identity(await self._calls.read_session(credentials))

    async def open_session(self, credentials: Credentials) -> Connection:
        """Exchange an app password in place of the access token for a session; a token is only asked whose it is.

        ``credentials`` name the account by its handle or its DID. Raises ``Refused`` for a password that is none of
        those made for apps: Studio keeps no password that opens everything.
        """
        given = credentials.access_token.strip()
        if expiry_of(given) is not None:
            return Connection(identity=await self.identify(credentials))
        if not is_app_password(given):
            raise Refused(
                "This is neither a token of Bluesky's nor an app password, which looks like abcd-efgh-ijkl-mnop. "
                "Make one in Bluesky's settings, under Privacy and security; never give away the account's own.",
                code="not_an_app_password",
            )
        name = credentials.handle.removeprefix("@") or credentials.external_id
        session = await self._new_session(name, given)
        return Connection(identity=_identity(session), grant=grant_of(session, app_password=given))

    async def _new_session(self, identifier: str, app_password: str) -> JsonObject:
        try:
            return await self._api.tell(
                "com.atproto.server.createSession",
                {"identifier": identifier, "password": app_password},
                token=None,
                repeatable=True,
                secret=app_password,
            )
        except PlatformError as error:
            raise login_error(error) from error

    async def delete(self, credentials: Credentials, platform_post_id: str) -> None:
        """Take a post down, with the further posts of its thread that were written with it."""
        first = rules.key_in(platform_post_id)
        if first is None:
            raise Refused(
                f"{platform_post_id!r} is not the address of a post on Bluesky.",
                code="cannot_delete",
                action="Delete the post in the Bluesky app.",
            )
        written = {first, *records.following_keys(first, MAX_FURTHER)}
        there = await self._calls.keys_from(credentials, records.key_before(first), len(written))
        if keys := [key for key in there if key in written]:
            await self._calls.delete(credentials, keys)

    async def read_counts(self, credentials: Credentials, platform_post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Likes, replies, reposts and bookmarks, asked for twenty-five posts at a time.

        The counts are another service's, which the account's server asks: ``Transient`` while it does not answer.
        """
        keys = {each: rules.key_in(each) for each in platform_post_ids}
        addresses = {records.uri_of(credentials.external_id, key): each for each, key in keys.items() if key}
        counts: dict[str, Counts] = {}
        wanted = list(addresses)
        for start in range(0, len(wanted), _PAGE):
            answer = await self._api.ask(
                "app.bsky.feed.getPosts",
                {"uris": tuple(wanted[start : start + _PAGE])},
                token=credentials.access_token,
            )
            for post in objects(answer, "posts"):
                platform_post_id = addresses.get(text(post, "uri") or "")
                if platform_post_id is not None:
                    counts[platform_post_id] = _counts(post)
        return counts


def _identity(session: JsonObject) -> Identity:
    did, handle = text(session, "did"), text(session, "handle")
    if did is None or handle is None:
        raise Transient("Bluesky answered without the account's id and name.")
    return Identity(external_id=did, handle=handle)


def _counts(post: JsonObject) -> Counts:
    def told(*fields: str) -> int | None:
        return sum(count(post, name) for name in fields) if any(name in post for name in fields) else None

    return Counts(
        likes=told("likeCount"),
        comments=told("replyCount"),
        shares=told("repostCount", "quoteCount"),
        saves=told("bookmarkCount"),
    )
