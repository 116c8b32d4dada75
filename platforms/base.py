"""What every social network's adapter declares and does, so that one engine can publish to all of them.

A publish is a walk through named steps. ``Adapter.next_step`` is a pure function of the content and the progress kept
so far; the engine (``tools/publishing``) writes the step down, lets ``Adapter.perform`` make its ONE outward call, and
writes the result down, so that a process killed anywhere knows where it was. Nothing is kept outside ``progress``.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from core.errors import Problem
from core.jsontypes import JsonObject
from platforms.needs import ApiVersion, NeededScope, Upload


class RepeatSafety(StrEnum):
    """How a repeat of an irreversible step is kept from doubling a post."""

    OWN_ID = "own_id"  # we choose the id; the network refuses or ignores a second one
    KEY = "key"  # an idempotency header
    WITNESS = "witness"  # a container or publish id that can be asked, and publishes once only
    DUPLICATE_ANSWER = "duplicate_answer"  # the network names the live post when we repeat
    LOOK = "look"  # list the newest posts and compare, after the settle time
    NONE = "none"  # nothing can tell: a person decides


@dataclass(frozen=True, kw_only=True)
class Medium:
    """One image or video of a post, as an adapter sees it; None = unknown.

    Sizes in pixels as shown, ``frame_rate`` in frames a second, ``bit_rate`` in bits a second over all streams. Codecs
    bear ffmpeg's names ("h264", "hevc", "aac"); ``audio_codec`` is "" for a film without sound.
    """

    asset_id: str
    kind: Literal["image", "video"]
    mime_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    alt_text: str | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    bit_rate: int | None = None


@dataclass(frozen=True, kw_only=True)
class Content:
    """Exactly what would go out. ``format`` is one of the manifest's; ``options`` holds the format's own settings.

    ``cover`` is the image that the option "cover" names by its asset id, for formats that take one.
    """

    format: str
    caption: str
    media: tuple[Medium, ...] = ()
    options: JsonObject = field(default_factory=dict)
    cover: Medium | None = None


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What an adapter needs to act for one account; ``login`` names the product that granted the token."""

    external_id: str
    handle: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    login: str | None = None
    metadata: JsonObject = field(default_factory=dict)


class MediaDoor(Protocol):
    """How an adapter reaches the bytes of a medium."""

    def public_url(self, medium: Medium) -> str:
        """A signed link under STUDIO_PUBLIC_URL that the network can fetch for an hour."""

    def read(self, medium: Medium, *, start: int = 0) -> AsyncIterator[bytes]:
        """The bytes from ``start`` on, in chunks, never the whole file at once."""


@dataclass(frozen=True, kw_only=True)
class Publish:
    """One publish on its way: the content, the account, what is known so far, and the door to the media.

    ``started_at`` is when the first attempt began (aware, UTC): a post older than that is not ours. ``known_post_ids``
    are posts of this account that other rows own: ``find`` never answers with one of them. ``in_doubt`` names the step
    whose outcome ``find`` is asked about, None before any was sent.
    """

    content: Content
    credentials: Credentials
    progress: JsonObject
    media: MediaDoor
    started_at: datetime
    known_post_ids: frozenset[str] = frozenset()
    in_doubt: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """The next outward call. ``sends`` is kept as evidence, without secrets; ``delay``: seconds to wait before it.

    ``conceals`` names what is learned by it and kept, but shown to nobody: an address that opens something.

    ``otherwise`` belongs to a step after the post is live (its address, a first comment; the latter irreversible): the
    post is never called failed for its sake. The engine writes the names of those it has given up into the progress as
    "given_up"; ``next_step`` may pass over them to what is left, else the walk ends there.
    """

    name: str
    sends: JsonObject
    irreversible: bool = False
    repeat: RepeatSafety = RepeatSafety.NONE
    delay: float = 0.0
    conceals: frozenset[str] = frozenset()
    otherwise: "Done | None" = None  # the post is live already: what to conclude if this step never succeeds


@dataclass(frozen=True, kw_only=True)
class Done:
    """The post is live. ``platform_post_id`` is None only where the network gives none; ``note`` then says so."""

    platform_post_id: str | None
    permalink: str | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer to "did it happen?", with the evidence a person may read."""

    outcome: Literal["posted", "not_posted", "unknown"]
    evidence: JsonObject
    progress: JsonObject = field(default_factory=dict)  # merged into the progress when the outcome is "posted"
    start_over: bool = False  # what was prepared can no longer be published: begin with a fresh progress
    refused: str | None = None  # "not_posted", and for this reason the network would not take it a second time either


@dataclass(frozen=True, kw_only=True)
class Ability:
    """One thing an adapter can do, and how that is proven ("contract suite", "documentation of 2026-09-28")."""

    name: str
    proven_by: str


@dataclass(frozen=True, kw_only=True)
class ImageRules:
    """What a network takes as an image: limits inclusive, None = it names none; ratios are width / height.

    Past ``max_width`` or ``max_height`` (pixels) the network refuses the image; ``best_width`` is what it scales to.
    """

    mime_types: frozenset[str]
    max_bytes: int
    ratios: tuple[float, float] | None = None
    max_width: int | None = None
    max_height: int | None = None
    best_width: int | None = None


@dataclass(frozen=True, kw_only=True)
class VideoRules:
    """What a network takes as a video: limits inclusive, None = it names none.

    Seconds, frames a second, bits a second; sides are of the picture in pixels, ratios width / height; codecs bear
    ffmpeg's names, and a film without sound is always fine.
    """

    mime_types: frozenset[str]
    max_bytes: int
    seconds: tuple[float, float]
    video_codecs: frozenset[str]
    audio_codecs: frozenset[str]
    frame_rates: tuple[float, float] | None = None
    ratios: tuple[float, float] | None = None
    min_width: int | None = None
    min_height: int | None = None
    max_width: int | None = None
    max_height: int | None = None
    max_bit_rate: int | None = None


@dataclass(frozen=True, kw_only=True)
class FormatRules:
    """The limits of one format, inclusive; text is counted as the network counts it (``Adapter.text_length``).

    ``image`` and ``video`` are there for each of ``kinds``: validation and the fitting of media read the same record.
    """

    name: str
    kinds: frozenset[Literal["image", "video"]]
    min_media: int
    max_media: int
    max_text: int
    options: frozenset[str] = frozenset()
    image: ImageRules | None = None
    video: VideoRules | None = None


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How often a network lets one account make a call: ``limit`` times (1 or more) within any ``seconds``.

    ``name`` completes "at most 100 …" for people. ``steps`` are the steps that use it, one use each; a name that ends
    with "_" stands for all that begin so. With ``formats`` or ``options`` it is about posts of these formats, or with
    one of these options switched on, alone: others of the account go on when it is used up. With neither, all wait.
    """

    name: str
    steps: frozenset[str]
    limit: int
    seconds: float
    formats: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()

    @property
    def is_for_all(self) -> bool:
        """Whether every post of the account needs it."""
        return not self.formats and not self.options

    def is_used_by(self, step: str, content: Content) -> bool:
        """Whether this step of a publish of this content is one use."""
        named = any(step == name or (name.endswith("_") and step.startswith(name)) for name in self.steps)
        fits = not self.formats or content.format in self.formats
        return named and fits and (not self.options or any(content.options.get(name) is True for name in self.options))


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a network can and cannot do here; the agent, the pages, the docs and the validation read this one record.

    ``daily_limit`` is how many posts an account may publish in 24 hours, None where the network names no number.
    ``renews_dead_tokens``: a token past its end can be renewed without a person, with its refresh token.
    """

    platform: str
    title: str
    formats: tuple[FormatRules, ...]
    can: tuple[Ability, ...]
    cannot: Mapping[str, str]  # what -> why
    fetches_media: bool  # the network fetches our links, so STUDIO_PUBLIC_URL must be reachable for it
    posting_times: tuple[str, ...]  # default weekly slots: "Mon 09:00", in the workspace's zone
    quotas: tuple[Quota, ...] = ()  # counted here and kept before a call is made
    uploads: tuple[Upload, ...] = ()  # what is sent as bytes although the network fetches the rest
    scopes: tuple[NeededScope, ...] = ()
    api: ApiVersion | None = None
    daily_limit: int | None = None
    renews_dead_tokens: bool = False

    def format_rules(self, name: str) -> FormatRules | None:
        """The rules of a format, None when this network has no such format."""
        return next((rules for rules in self.formats if rules.name == name), None)


@dataclass(frozen=True, kw_only=True)
class TokenGrant:
    """A fresh token. ``expires_at`` is aware UTC, None when the network gave no end."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a token belongs to, by the network's own word."""

    external_id: str
    handle: str
    title: str | None = None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An account that was let in. ``grant`` None: the token that was given is the one to keep."""

    identity: Identity
    grant: TokenGrant | None = None


@runtime_checkable
class OpensSessions(Protocol):
    """An adapter whose network lets an account in with a password, in place of a token that a person could bring."""

    async def open_session(self, credentials: Credentials) -> Connection:
        """Exchange the password in ``access_token`` for tokens; asked once, when an account is connected."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a network counts of one live post; None = it does not say (which is not zero)."""

    views: int | None = None
    reach: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    saves: int | None = None


class Adapter(Protocol):
    """One social network. Every method but the pure ones makes HTTP calls and raises ``platforms.errors``."""

    @property
    def manifest(self) -> Manifest:
        """What this network can do; constant."""

    def text_length(self, text: str) -> int:
        """The length of a text as this network counts it."""

    def choose_format(self, content: Content) -> str:
        """The format meant by media alone, when nobody named one (pure)."""

    def validate(self, content: Content) -> tuple[Problem, ...]:
        """Every rule the content breaks, with the path of its field; empty means it may go out (pure)."""

    def next_step(self, content: Content, progress: JsonObject) -> Step | Done:
        """What comes next given what is known (pure). An empty progress begins."""

    async def perform(self, step: Step, publish: Publish) -> JsonObject:
        """Make the step's one outward call and return what to merge into the progress."""

    async def find(self, publish: Publish) -> Finding:
        """Did the irreversible step happen? Only reads; raises only when the network cannot be asked now."""

    async def refresh(self, credentials: Credentials) -> TokenGrant:
        """A new token for a token near or past its end; raises ``ReconnectNeeded`` when a person must log in."""

    async def identify(self, credentials: Credentials) -> Identity:
        """Who this token belongs to: asked once when an account is connected."""

    async def delete(self, credentials: Credentials, platform_post_id: str) -> None:
        """Take a live post down; one that is gone already is fine.

        Raises ``Refused`` with the code "cannot_delete" where the network's API offers no such call.
        """

    async def read_counts(self, credentials: Credentials, platform_post_ids: Sequence[str]) -> Mapping[str, Counts]:
        """What the network counts of these posts; a post it does not know, or not any more, is left out."""
