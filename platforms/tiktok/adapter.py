"""TikTok's adapter: performs the steps, looks for what became of a publish, keeps tokens alive.

TikTok's own references behind it: Direct Post, Upload to Inbox, Photo Post, Get Post Status, Query Creator Info, the
Display API and the OAuth pages (as of September to November 2026).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from core.errors import Problem
from core.jsontypes import JsonObject
from platforms.base import Content, Counts, Credentials, Done, Finding, Identity, Manifest, Publish, Step, TokenGrant
from platforms.errors import AccountBlocked, ReconnectNeeded, Refused, Transient
from platforms.http import new_client
from platforms.tiktok import rules, steps
from platforms.tiktok.api import TikTokApi, UploadHost
from platforms.tiktok.calls import PAGE, PublishCalls, objects
from platforms.tiktok.finding import by_list, by_status, window_start
from platforms.tiktok.manifest import MANIFEST


class TikTokAdapter:
    """One installation's door to TikTok.

    ``client_key`` and ``client_secret`` are the TikTok app's, needed to renew tokens; empty when they are not set.
    ``timeout`` in seconds bounds every call, but of an upload only its silences. Close it with ``aclose``.

    Who sees a post that names no privacy_level: whom the account's metadata names under "privacy_level", else the
    widest audience that TikTok offers the account at that moment.
    """

    def __init__(self, *, api_url: str, client_key: str = "", client_secret: str = "", timeout: float = 30.0) -> None:
        self._client = new_client(timeout=timeout)
        self._api = TikTokApi(self._client, api_url, deadline=timeout)
        self._calls = PublishCalls(self._api, UploadHost(self._client))
        self._performers = {
            "read_creator": self._calls.read_creator,
            "init_video": self._calls.init_video,
            "init_inbox": self._calls.init_inbox,
            steps.INIT_PHOTO: self._calls.init_photo,
            "check_upload": self._calls.check_upload,
            "check_status": self._calls.check_status,
            "read_permalink": self._calls.read_permalink,
        }
        self._client_key = client_key
        self._client_secret = client_secret

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def manifest(self) -> Manifest:
        """What TikTok can do here."""
        return MANIFEST

    def text_length(self, text: str) -> int:
        """The length of a text in UTF-16 code units."""
        return rules.text_length(text)

    def choose_format(self, content: Content) -> str:
        """The format the media alone suggest."""
        return rules.choose_format(content)

    def validate(self, content: Content) -> tuple[Problem, ...]:
        """Every rule of TikTok's the content breaks, as far as it can be told without asking for the account."""
        return rules.broken_rules(content)

    def next_step(self, content: Content, progress: JsonObject) -> Step | Done:
        """What comes next; the walk is drawn in ``platforms.tiktok.steps``."""
        return steps.next_step(content, progress)

    async def perform(self, step: Step, publish: Publish) -> JsonObject:
        """Make the step's one call; what it returns is merged into the progress."""
        is_chunk = step.name.startswith(steps.UPLOAD)
        performer = self._calls.upload if is_chunk else self._performers[step.name]
        return await performer(publish)

    async def find(self, publish: Publish) -> Finding:
        """Whether the last chunk arrived, or the announced photos went out."""
        post_id = steps.text(publish.progress, "post_id")
        if post_id is not None or publish.progress.get("published") is True:
            return Finding(outcome="posted", evidence={"post_id": post_id, "matched_by": "TikTok's answer"})
        if steps.text(publish.progress, "publish_id") is not None:
            return await self._ask(publish)
        if publish.in_doubt != steps.INIT_PHOTO:
            return Finding(outcome="not_posted", evidence={"reason": "There was nothing to publish yet."})
        if steps.is_draft(publish.content) or publish.progress.get("privacy_level") != steps.PUBLIC:
            reason = "TikTok lists public posts alone: a person has to look in the app."
            return Finding(outcome="unknown", evidence={"reason": reason})
        return by_list(publish, await self._calls.list_public(publish, since=window_start(publish)))

    async def _ask(self, publish: Publish) -> Finding:
        try:
            answer = await self._calls.read_status(publish)
        except (ReconnectNeeded, AccountBlocked):
            raise
        except Refused as refusal:
            # How long a publish_id can be asked about is not documented: not to know it says nothing.
            reason = f"The publish cannot be asked about: {refusal.message}"
            return Finding(outcome="unknown", evidence={"reason": reason, "code": refusal.platform_code})
        return by_status(publish, answer)

    async def refresh(self, credentials: Credentials) -> TokenGrant:
        """Two new tokens for the refresh token, which stops working by that: both have to be kept at once.

        ``expires_at`` is by this machine's clock and TikTok's ``expires_in``.
        """
        if not credentials.refresh_token:
            raise ReconnectNeeded("There is no refresh token for this account.")
        if not (self._client_key and self._client_secret):
            raise Refused(
                "The key and secret of the TikTok app are not set, and TikTok renews no token without them.",
                code="app_credentials_missing",
                action="Set STUDIO_TIKTOK_CLIENT_KEY and STUDIO_TIKTOK_CLIENT_SECRET, then retry the post.",
            )
        form = {
            "client_key": self._client_key,
            "client_secret": self._client_secret,
            "grant_type": "refresh_token",
            "refresh_token": credentials.refresh_token,
        }
        secrets = (credentials.refresh_token, credentials.access_token, self._client_secret)
        answer = await self._api.new_token(form, secrets=secrets)
        token = steps.text(answer, "access_token")
        if token is None:
            raise Transient("TikTok answered without a new token.")
        seconds = steps.count(answer, "expires_in")
        return TokenGrant(
            access_token=token,
            refresh_token=steps.text(answer, "refresh_token"),
            expires_at=datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None,
        )

    async def identify(self, credentials: Credentials) -> Identity:
        """The account of this token; ``external_id`` is its open_id for this app."""
        answer = await self._api.get(
            "user/info/", token=credentials.access_token, fields="open_id,username,display_name"
        )
        user = answer.get("user")
        user = user if isinstance(user, dict) else {}
        external_id, handle = steps.text(user, "open_id"), steps.text(user, "username")
        if external_id is None or handle is None:
            raise Transient("TikTok answered without the account's id and name.")
        return Identity(external_id=external_id, handle=handle, title=steps.text(user, "display_name"))

    async def delete(self, credentials: Credentials, platform_post_id: str) -> None:  # noqa: ARG002 - the contract's
        """Refuse: TikTok's API takes no post down."""
        raise Refused(
            "TikTok's API deletes no posts.", code="cannot_delete", action="Delete the post in the TikTok app."
        )

    async def read_counts(self, credentials: Credentials, platform_post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Views, likes, comments and shares of public posts, asked for twenty at a time."""
        counts: dict[str, Counts] = {}
        for start in range(0, len(platform_post_ids), PAGE):
            answer = await self._api.post(
                "video/query/",
                {"filters": {"video_ids": list(platform_post_ids[start : start + PAGE])}},
                token=credentials.access_token,
                fields="id,view_count,like_count,comment_count,share_count",
            )
            for video in objects(answer.get("videos")):
                post_id = steps.text(video, "id")
                if post_id is not None:
                    counts[post_id] = _counts(video)
        return counts


def _counts(video: JsonObject) -> Counts:
    def told(name: str) -> int | None:
        return steps.count(video, name) if name in video else None

    return Counts(
        views=told("view_count"),
        likes=told("like_count"),
        comments=told("comment_count"),
        shares=told("share_count"),
    )
