"""Facebook's adapter: performs the steps, looks for what became of a publish, keeps tokens alive.

Meta's own references behind it: Pages posts, photos, video reels and stories, comments (as of September 2026).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.errors import Problem
from core.jsontypes import JsonObject
from platforms.base import Content, Counts, Credentials, Done, Finding, Identity, Manifest, Publish, Step, TokenGrant
from platforms.errors import AccountBlocked, ReconnectNeeded, Refused, Transient
from platforms.facebook import finding, rules, steps
from platforms.facebook.calls import PublishCalls
from platforms.facebook.manifest import MANIFEST
from platforms.graph import Graph, UploadHost
from platforms.graph_tokens import exchange_facebook_token
from platforms.http import new_client
from platforms.progress import count, inner, objects, text

# Meta's error for an object that is not there (any more), or not ours to see.
GONE = "100/33"
# A node that has no such fields: a story has no counts, for one.
WITHOUT_FIELDS = "100"

# Newest first: ours is on the first page unless the Page has published very much since.
_PAGE = "100"
_MAX_PAGES = 4
_COUNTED = "reactions.summary(true).limit(0),comments.summary(true).limit(0),shares"


class FacebookAdapter:
    """One installation's door to Facebook Pages; ``Credentials.access_token`` is the Page's own token.

    ``app_id`` and ``app_secret`` are the Meta app's, needed to renew tokens; empty when they are not set. ``timeout``
    in seconds bounds every call, but of an upload only its silences. Close it with ``aclose``.
    """

    def __init__(
        self,
        *,
        facebook_graph_url: str,
        upload_url: str,
        app_id: str = "",
        app_secret: str = "",
        timeout: float = 30.0,
    ) -> None:
        self._client = new_client(timeout=timeout)
        self._graph = Graph(self._client, facebook_graph_url, deadline=timeout)
        self._calls = PublishCalls(graph=self._graph, uploads=UploadHost(self._client, upload_url))
        self._performers = {
            "start": self._calls.start,
            "upload": self._calls.upload,
            "check_upload": self._calls.check_upload,
            "publish": self._calls.publish,
            "check_video": self._calls.check_video,
            "read_permalink": self._calls.read_permalink,
            "first_comment": self._calls.first_comment,
        }
        self._app_id = app_id
        self._app_secret = app_secret

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def manifest(self) -> Manifest:
        """What Facebook can do here."""
        return MANIFEST

    def text_length(self, text: str) -> int:
        """The length of a text in UTF-16 code units."""
        return rules.text_length(text)

    def choose_format(self, content: Content) -> str:
        """The format the media suggest, and the option "link" where there are none."""
        return rules.choose_format(content)

    def validate(self, content: Content) -> tuple[Problem, ...]:
        """Every rule of Facebook's the content breaks."""
        return rules.broken_rules(content)

    def next_step(self, content: Content, progress: JsonObject) -> Step | Done:
        """What comes next; the walk is drawn in ``platforms.facebook.steps``."""
        return steps.next_step(content, progress)

    async def perform(self, step: Step, publish: Publish) -> JsonObject:
        """Make the step's one call; what it returns is merged into the progress."""
        is_photo = step.name.startswith(steps.UPLOAD_PHOTO)
        performer = self._calls.upload_photo if is_photo else self._performers[step.name]
        return await performer(publish)

    async def find(self, publish: Publish) -> Finding:
        """Whether the step in doubt happened: the post, or the comment under a post that is live."""
        known = text(publish.progress, "post_id")
        if publish.in_doubt == "first_comment" and known is not None:
            return await self._find_comment(publish, known)
        if known is not None:
            return Finding(outcome="posted", evidence={"post_id": known, "matched_by": "Facebook's answer"})
        match publish.content.format:
            case "story":
                return _find_story(publish)
            case "reel":
                return await self._find_reel(publish)
            case "video":
                # Videos on their way are no posts yet. Without a type the edge lists those a Page is tagged in.
                entries = await self._list(publish, "videos", finding.LISTED_VIDEO_FIELDS, type="uploaded")
                listed = finding.read_videos(entries, publish)
            case _:
                is_words = publish.content.format in finding.WORDS
                since = finding.window_start(publish) - (finding.TWIN_AGE if is_words else timedelta(0))
                since_then = str(int(since.timestamp()))
                entries = await self._list(publish, "published_posts", finding.POST_FIELDS, since=since_then)
                listed = finding.read_posts(entries)
                found = finding.compare(publish, listed, words=publish.content.caption)
                return finding.without_twin(publish, found, listed) if is_words else found
        return finding.compare(publish, listed, words=publish.content.caption)

    async def refresh(self, credentials: Credentials) -> TokenGrant:
        """A fresh token for the Page, while the old one is still valid; ``expires_at`` is by this machine's clock."""
        return await exchange_facebook_token(
            self._graph, credentials.access_token, app_id=self._app_id, app_secret=self._app_secret
        )

    async def identify(self, credentials: Credentials) -> Identity:
        """The Page of this token; people know Pages by their name, so the name is the handle."""
        answer = await self._graph.get(credentials.external_id, token=credentials.access_token, fields="id,name")
        external_id, name = text(answer, "id"), text(answer, "name")
        if external_id is None or name is None:
            raise Transient("Facebook answered without the Page's id and name.")
        return Identity(external_id=external_id, handle=name, title=name)

    async def delete(self, credentials: Credentials, platform_post_id: str) -> None:
        """Take a post down."""
        try:
            await self._graph.delete(platform_post_id, token=credentials.access_token)
        except Refused as refusal:
            if refusal.platform_code != GONE:
                raise

    async def read_counts(self, credentials: Credentials, platform_post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """Reactions (as likes), comments and shares of each post."""
        counts: dict[str, Counts] = {}
        for post_id in platform_post_ids:
            try:
                answer = await self._graph.get(post_id, token=credentials.access_token, fields=_COUNTED)
            except Refused as refusal:
                if refusal.platform_code not in {GONE, WITHOUT_FIELDS}:
                    raise
                continue
            counts[post_id] = Counts(
                likes=_total(answer, "reactions"),
                comments=_total(answer, "comments"),
                # Facebook leaves the field out while nobody has shared the post.
                shares=count(inner(answer, "shares"), "count"),
            )
        return counts

    async def _find_comment(self, publish: Publish, post_id: str) -> Finding:
        answer = await self._graph.get(
            f"{post_id}/comments",
            token=publish.credentials.access_token,
            fields=finding.COMMENT_FIELDS,
            order="reverse_chronological",
            limit=_PAGE,
        )
        listed = finding.read_comments(objects(answer, "data"), publish)
        return finding.compare(publish, listed, words=str(publish.content.options.get("first_comment", "")))

    async def _find_reel(self, publish: Publish) -> Finding:
        if text(publish.progress, "video_id") is None:
            return Finding(outcome="not_posted", evidence={"reason": "There was nothing to publish yet."})
        try:
            return finding.judge_reel(await self._calls.read_video(publish))
        except (ReconnectNeeded, AccountBlocked):
            raise
        except Refused as refusal:
            # Unreadable says nothing: a reel that was published may be gone too.
            evidence: JsonObject = {"reason": f"The video cannot be read: {refusal.message}"}
            return Finding(outcome="unknown", evidence={**evidence, "code": refusal.platform_code})

    async def _list(self, publish: Publish, edge: str, fields: str, **more: str) -> list[JsonObject]:
        """What the Page lists, newest first, as far as our post can be."""
        found: list[JsonObject] = []
        page: dict[str, str] = {}
        for _ in range(_MAX_PAGES):
            answer = await self._graph.get(
                f"{publish.credentials.external_id}/{edge}",
                token=publish.credentials.access_token,
                fields=fields,
                limit=_PAGE,
                **more,
                **page,
            )
            found += objects(answer, "data")
            # Meta's ``next`` address carries the token: only its cursor is taken.
            after = text(inner(answer, "paging", "cursors"), "after")
            if after is None or "next" not in inner(answer, "paging"):
                break
            page = {"after": after}
        return found


def _find_story(publish: Publish) -> Finding:
    if publish.in_doubt is None:
        return Finding(outcome="not_posted", evidence={"reason": "Nothing was sent yet."})
    reason = "Facebook lists no stories: only a person who looks at the Page can tell."
    return Finding(outcome="unknown", evidence={"reason": reason})


def _total(answer: JsonObject, edge: str) -> int | None:
    summary = inner(answer, edge, "summary")
    return count(summary, "total_count") if "total_count" in summary else None
