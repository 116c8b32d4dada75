"""What commands need from rooms above or beside them: ports that the composition root fills."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class CaptionBrief:
    """What a caption is to be about. ``limit`` is the network's own count; ``voice`` is the brand's, None = unknown."""

    about: str
    platform: str
    format: str
    limit: int
    voice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """Words for a post. ``rests_on`` says in a clause where they come from ("the offline writer's template")."""

    text: str
    rests_on: str


@dataclass(frozen=True, kw_only=True)
class NetworkBrief:
    """Where words will stand. ``count`` is the network's own count of a text, at most ``limit``; ``formats`` are those
    that the media allow, the likeliest first.
    """

    platform: str
    formats: tuple[str, ...]
    limit: int
    count: Callable[[str], int]


@dataclass(frozen=True, kw_only=True)
class RepurposeBrief:
    """A post's words, to be said again on other networks; each of ``networks`` has its own platform."""

    text: str
    platform: str
    networks: tuple[NetworkBrief, ...]
    voice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """One network's version of a post, in its parts; an empty part is left out. ``hashtags`` bear their "#"."""

    platform: str
    format: str
    hook: str
    caption: str
    call_to_action: str
    hashtags: tuple[str, ...]

    @property
    def text(self) -> str:
        """The parts as one text, as it would be posted."""
        return "\n\n".join(
            part for part in (self.hook, self.caption, self.call_to_action, " ".join(self.hashtags)) if part
        )


@dataclass(frozen=True, kw_only=True)
class Repurposed:
    """A version for every network of the brief, in its order."""

    versions: tuple[Adapted, ...]
    rests_on: str


@dataclass(frozen=True, kw_only=True)
class PlanBrief:
    """Places to be filled with posts: ``history`` are captions of recent posts, newest first; both may be empty."""

    places: tuple[NetworkBrief, ...]
    themes: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    voice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What one post of a plan is about, its words, and why it is proposed (a clause)."""

    topic: str
    caption: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Topics:
    """A topic for every place of the brief, in its order."""

    items: tuple[Topic, ...]
    rests_on: str


@dataclass(frozen=True, kw_only=True)
class VariantsBrief:
    """A caption to be said in ``count`` other ways; ``hypothesis`` is what the experiment is to find out."""

    text: str
    count: int
    network: NetworkBrief
    hypothesis: str | None = None
    voice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Variants:
    """Captions that differ from the brief's and from each other."""

    captions: tuple[str, ...]
    rests_on: str


class Writer(Protocol):
    """Writes the words of posts. Raises ``core.errors.Unavailable`` when the model gives nothing usable."""

    async def caption(self, brief: CaptionBrief) -> Written:
        """A caption within the brief's limit."""

    async def repurpose(self, brief: RepurposeBrief) -> Repurposed:
        """The post in the words of each network, within its limit."""

    async def topics(self, brief: PlanBrief) -> Topics:
        """What the posts of a plan are about, each caption within its place's limit."""

    async def variants(self, brief: VariantsBrief) -> Variants:
        """Other captions for the same post, within the network's limit."""


class Wake(Protocol):
    """Tells the scheduler that something is due now; a hint, never needed for correctness."""

    def __call__(self, topic: str) -> None:
        """Wake those who wait for ``topic`` ("posts", "runs")."""
