"""A second network for tests: films and photos, short texts counted in bytes, spoken to as the sandbox's Instagram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from core.errors import Problem
from core.settings import Settings
from platforms.base import Content, FormatRules, Manifest
from platforms.instagram.adapter import InstagramAdapter
from platforms.instagram.manifest import IMAGES, REELS
from tests.conftest import Sandbox
from tools.commands import catalog
from tools.context import Caller, Doors
from tools.dispatcher import Dispatcher

LIMIT = 60
TOKEN = "IGAA-token-of-the-second-network"
EXTERNAL_ID = "17841400000000002"


def _format(name: str, most: int) -> FormatRules:
    kind = "video" if name == "video" else "image"
    kinds: frozenset[str] = frozenset({kind})
    return FormatRules(
        name=name,
        kinds=kinds,  # type: ignore[arg-type]
        min_media=1,
        max_media=most,
        max_text=LIMIT,
        image=IMAGES if kind == "image" else None,
        video=REELS if kind == "video" else None,
    )


MANIFEST = Manifest(
    platform="filmhouse",
    title="Filmhouse",
    formats=(_format("video", 1), _format("photo", 5)),
    can=(),
    cannot={},
    fetches_media=True,
    posting_times=("Mon 09:00", "Wed 09:00", "Wed 09:10", "Fri 18:00"),
)


class Filmhouse(InstagramAdapter):
    """Another network that speaks Instagram's language, with rules of its own."""

    @property
    def manifest(self) -> Manifest:
        """Two formats, one kind each."""
        return MANIFEST

    def text_length(self, text: str) -> int:
        """Bytes."""
        return len(text.encode())

    def choose_format(self, content: Content) -> str:
        """What the first medium is."""
        return "photo" if content.media and content.media[0].kind == "image" else "video"

    def validate(self, content: Content) -> tuple[Problem, ...]:
        """Number of media and length of text."""
        rules = MANIFEST.format_rules(content.format)
        assert rules is not None
        problems = []
        if not rules.min_media <= len(content.media) <= rules.max_media:
            problems.append(Problem(path="media", code="media_count", message="Filmhouse has no post of words alone."))
        if self.text_length(content.caption) > LIMIT:
            problems.append(Problem(path="caption", code="text_too_long", message="Too long."))
        return tuple(problems)


@asynccontextmanager
async def second_network(doors: Doors, settings: Settings, sandbox: Sandbox, caller: Caller) -> AsyncIterator[Doors]:
    """The same doors with the second network among them, and an account on it connected."""
    adapter = Filmhouse(
        facebook_graph_url=settings.facebook_graph_url,
        instagram_graph_url=settings.instagram_graph_url,
        upload_url=settings.meta_upload_url,
    )
    opened = replace(doors, adapters={**doors.adapters, "filmhouse": adapter})
    known = {"external_id": EXTERNAL_ID, "access_token": TOKEN}
    sandbox.control("POST", "accounts", {**known, "platform": "instagram", "handle": "roastery_films"})
    arguments = {**known, "platform": "filmhouse", "metadata": {"login": "facebook"}}
    await Dispatcher(opened, catalog()).run("connect_account", arguments, caller)
    try:
        yield opened
    finally:
        await adapter.aclose()
