"""Instagram's adapter: performs the steps, looks for what became of a publish, keeps tokens alive.

Meta's own references behind it: content publishing, IG User media and media_publish, IG Container, resumable uploads,
business login (as of September 2026).
"""

from collections.abc import Mapping, Sequence

from core.errors import Problem
from core.jsontypes import JsonObject
from platforms.base import (
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
from platforms.errors import AccountBlocked, ReconnectNeeded, Refused, Transient
from platforms.graph import Graph, UploadHost
from platforms.graph_tokens import exchange_facebook_token, exchange_instagram_token
from platforms.http import new_client
from platforms.instagram import counting, rules, steps
from platforms.instagram.calls import PublishCalls, uses_instagram_login
from platforms.instagram.finding import identify_comment, identify_post, unpublished
from platforms.instagram.manifest import MANIFEST
from platforms.progress import text


class InstagramAdapter:
    """One installation's door to Instagram, for accounts of both login products (``Credentials.login``).

    ``login`` None counts as "facebook". ``app_id`` and ``app_secret`` are the Meta app's, needed to renew tokens of
    Facebook Login only; empty when they are not set. ``timeout`` in seconds bounds every call, but of an upload only
    its silences. Close it with ``aclose``.
    """

    def __init__(
        self,
        *,
        facebook_graph_url: str,
        instagram_graph_url: str,
        upload_url: str,
        app_id: str = "",
        app_secret: str = "",
        timeout: float = 30.0,
    ) -> None:
        self._client = new_client(timeout=timeout)
        self._facebook = Graph(self._client, facebook_graph_url, deadline=timeout)
        self._instagram = Graph(self._client, instagram_graph_url, deadline=timeout)
        self._calls = PublishCalls(
            facebook=self._facebook, instagram=self._instagram, uploads=UploadHost(self._client, upload_url)
        )
        self._performers = {
            "create_container": self._calls.create_container,
            "upload": self._calls.upload,
            "check_upload": self._calls.check_upload,
            "check_container": self._calls.check_container,
            "publish": self._calls.publish,
            steps.FIRST_COMMENT: self._calls.comment,
            "read_permalink": self._calls.read_permalink,
        }
        self._app_id = app_id
        self._app_secret = app_secret

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def manifest(self) -> Manifest:
        """What Instagram can do here."""
        return MANIFEST

    def text_length(self, text: str) -> int:
        """The length of a text in UTF-16 code units; see ``rules.text_length`` for why."""
        return rules.text_length(text)

    def choose_format(self, content: Content) -> str:
        """The format the media alone suggest."""
        return rules.choose_format(content)

    def validate(self, content: Content) -> tuple[Problem, ...]:
        """Every rule of Instagram's the content breaks."""
        return rules.broken_rules(content)

    def next_step(self, content: Content, progress: JsonObject) -> Step | Done:
        """What comes next; the walk is drawn in ``platforms.instagram.steps``."""
        return steps.next_step(content, progress)

    async def perform(self, step: Step, publish: Publish) -> JsonObject:
        """Make the step's one call; what it returns is merged into the progress."""
        is_child = step.name.startswith(steps.CREATE_CHILD)
        performer = self._calls.create_child if is_child else self._performers[step.name]
        return await performer(publish)

    async def find(self, publish: Publish) -> Finding:
        """Whether the container was published, and as which post; or whether the first comment is there."""
        if publish.in_doubt == steps.FIRST_COMMENT:
            return await self._find_comment(publish)
        known = text(publish.progress, "media_id")
        if known is not None:
            return Finding(outcome="posted", evidence={"media_id": known, "matched_by": "Instagram's answer"})
        container_id = text(publish.progress, "container_id")
        if container_id is None:
            return Finding(outcome="not_posted", evidence={"reason": "There was nothing to publish yet."})
        evidence: JsonObject = {"container_id": container_id}
        try:
            answer = await self._calls.read_container(publish, container_id)
        except (ReconnectNeeded, AccountBlocked):
            raise
        except Refused as refusal:
            # Unreadable says nothing: a container that was published may be gone too.
            reason = f"The container cannot be read: {refusal.message}"
            return Finding(outcome="unknown", evidence={**evidence, "reason": reason, "code": refusal.platform_code})
        status = text(answer, "status_code") or ""
        evidence = {**evidence, "status_code": status, "status": answer.get("status")}
        if status == "PUBLISHED":
            return identify_post(publish, await self._calls.list_media(publish), evidence)
        reason = f"The container's status {status!r} is not one Studio knows."
        return unpublished(status, evidence) or Finding(outcome="unknown", evidence={**evidence, "reason": reason})

    async def _find_comment(self, publish: Publish) -> Finding:
        try:
            return identify_comment(publish, await self._calls.list_comments(publish))
        except (ReconnectNeeded, AccountBlocked):
            raise
        except Refused as refusal:
            reason = f"The comments cannot be read: {refusal.message}"
            return Finding(outcome="unknown", evidence={"reason": reason, "code": refusal.platform_code})

    async def refresh(self, credentials: Credentials) -> TokenGrant:
        """A token for another 60 days.

        Facebook Login exchanges the token while it is valid; Instagram Login renews one that is at least 24 hours old.
        Neither brings back a token past its end: that raises ``ReconnectNeeded``. ``expires_at`` is by this machine's
        clock.
        """
        if uses_instagram_login(credentials):
            return await exchange_instagram_token(self._instagram, credentials.access_token)
        return await exchange_facebook_token(
            self._facebook, credentials.access_token, app_id=self._app_id, app_secret=self._app_secret
        )

    async def identify(self, credentials: Credentials) -> Identity:
        """The professional account of this token; ``external_id`` is the id used in all other calls."""
        token = credentials.access_token
        if uses_instagram_login(credentials):
            # ``id`` is scoped to the app here; ``user_id`` is the account's own.
            answer = await self._instagram.get("me", token=token, fields="user_id,username,name")
            external_id = text(answer, "user_id")
        else:
            answer = await self._facebook.get(credentials.external_id, token=token, fields="id,username,name")
            external_id = text(answer, "id")
        handle = text(answer, "username")
        if external_id is None or handle is None:
            raise Transient("Meta answered without the account's id and name.")
        return Identity(external_id=external_id, handle=handle, title=text(answer, "name"))

    async def delete(self, credentials: Credentials, platform_post_id: str) -> None:
        """Take a post down: Meta offers it with Facebook Login alone (since December 2025)."""
        if uses_instagram_login(credentials):
            raise Refused(
                "Instagram deletes no posts for accounts connected through Instagram Login.",
                code="cannot_delete",
                action="Delete it in the Instagram app, or connect the account through Facebook Login.",
            )
        try:
            await self._facebook.delete(platform_post_id, token=credentials.access_token)
        except Refused as refusal:
            if refusal.platform_code != counting.GONE:
                raise

    async def read_counts(self, credentials: Credentials, platform_post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """What people see under each post, and its insights where the account lets them be read."""
        graph = self._calls.graph(credentials)
        return await counting.read_counts(graph, platform_post_ids, token=credentials.access_token)
