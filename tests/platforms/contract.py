"""What a case of the contract suite consists of, and a small engine that walks a publish as the real one does."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from core.jsontypes import JsonObject
from platforms.base import Adapter, Content, Credentials, Done, Finding, Manifest, Publish, Step
from platforms.errors import ContentRefused, PlatformError, ReconnectNeeded
from tests.platforms.world import FileServer, LivePost, Sandbox

WALK_SECONDS = 20.0
POLL_SECONDS = 0.005


class OpenAdapter(Protocol):
    """Opens an adapter against a sandbox; ``timeout`` is the longest silence in seconds."""

    def __call__(self, sandbox_url: str, *, timeout: float = 10.0) -> AbstractAsyncContextManager[Adapter]: ...


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A content that ``validate`` refuses; ``not_asked`` says why the sandbox is not asked for its opinion."""

    content: Content
    code: str
    network: type[PlatformError] = ContentRefused
    not_asked: str | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One adapter with one format (and one kind of login): a file in ``cases/`` lists them as ``CASES``.

    ``content`` makes a good content with a caption; ``accepted`` and ``refused`` name contents at and beyond the
    limits. ``routes`` maps a step (by its name, or the part before its number) to the sandbox's route, for faults.
    ``addressed`` are steps that go, without a token, to an address the network gave out: no token can expire there.
    ``dead_token`` is what the network's word for an unknown or revoked token means; where it is also its word for an
    expired one, only a refresh tells them apart. ``rules_out`` False: the network shows what went out, but never that
    nothing did, so that a person decides. ``is_draft``: it ends in the inbox of the network's app, and nothing is live.
    ``absorbs`` are steps that carry on by themselves after a broken connection instead of raising. ``sees_format`` is
    the feed's word for the format.

    Where a network differs: ``chosen`` is the format its media alone suggest, when that is another; ``finds`` is False
    where nothing tells whether a publish happened, so that a person decides; ``has_address`` is False where it gives no
    permalink; ``refuses_twins`` where it takes no second post with the same words.
    """

    name: str
    platform: str
    format: str
    login: str | None
    open_adapter: OpenAdapter
    content: Callable[[FileServer, str], Content]
    accepted: Callable[[FileServer], Mapping[str, Content]]
    refused: Callable[[FileServer], Mapping[str, Refusal]]
    routes: Mapping[str, str]
    absorbs: frozenset[str] = frozenset()
    sees_format: str
    chosen: str | None = None
    finds: bool = True
    has_address: bool = True
    refuses_twins: bool = False
    addressed: frozenset[str] = frozenset()
    dead_token: type[PlatformError] = ReconnectNeeded
    rules_out: bool = True
    is_draft: bool = False

    def route(self, step: Step) -> str:
        """The sandbox's route behind a step."""
        return self.routes[step.name.rstrip("0123456789")]


@dataclass(kw_only=True)
class Walk:
    """A publish on its way, with everything an engine would write down. Progress survives as JSON only."""

    adapter: Adapter
    publish: Publish
    sandbox: Sandbox
    steps: list[Step] = field(default_factory=list)
    written: list[JsonObject] = field(default_factory=list)

    @property
    def progress(self) -> JsonObject:
        return self.publish.progress

    def next(self) -> Step | Done:
        return self.adapter.next_step(self.publish.content, self.progress)

    async def perform(self, step: Step) -> None:
        """Do a step and keep what it returns; a second of its delay takes 5 ms here."""
        await asyncio.sleep(step.delay * POLL_SECONDS)
        self.steps.append(step)
        self.written.append(step.sends)
        self.doubt(step)
        result = await self.adapter.perform(step, self.publish)
        self.keep(result)
        self.publish = replace(self.publish, in_doubt=None)

    def doubt(self, step: Step) -> None:
        """Write the intent down: until a result is kept, an irreversible step is in doubt."""
        self.publish = replace(self.publish, in_doubt=step.name if step.irreversible else None)

    async def perform_and_forget(self, step: Step) -> None:
        """Do a step in a process that dies before it can write the result down."""
        self.doubt(step)
        await self.adapter.perform(step, self.publish)

    def keep(self, result: JsonObject) -> None:
        """Merge a result, by way of JSON text."""
        kept: JsonObject = json.loads(json.dumps({**self.progress, **result}))
        self.written.append(kept)
        self.publish = replace(self.publish, progress=kept)

    async def before(self, name: str) -> Step:
        """Walk until the step of this name comes next; answers it."""
        deadline = time.monotonic() + WALK_SECONDS
        while isinstance(step := self.next(), Step):
            if step.name == name:
                return step
            assert time.monotonic() < deadline, f"stuck at {step.name} with {self.progress}"
            await self.perform(step)
        raise AssertionError(f"{name} never comes")

    async def before_the_irreversible(self) -> Step:
        """Walk until the step comes next that makes the post public; answers it."""
        while isinstance(step := self.next(), Step):
            if step.irreversible:
                return step
            await self.perform(step)
        raise AssertionError("nothing is irreversible here")

    async def finish(self) -> Done:
        """Walk to the end."""
        deadline = time.monotonic() + WALK_SECONDS
        while isinstance(step := self.next(), Step):
            assert time.monotonic() < deadline, f"stuck at {step.name} with {self.progress}"
            await self.perform(step)
        return step

    async def settle(self) -> Finding:
        """Look until it is known whether the irreversible step happened, as the engine does after the settle time."""
        deadline = time.monotonic() + WALK_SECONDS
        while (finding := await self.adapter.find(self.publish)).outcome == "unknown":
            assert time.monotonic() < deadline, f"never known: {finding.evidence}"
            await asyncio.sleep(POLL_SECONDS)
        self.written.append(finding.evidence)
        if finding.outcome == "posted":
            self.keep(finding.progress)
        self.publish = replace(self.publish, in_doubt=None)
        return finding

    async def resume(self, intent: Step) -> Done:
        """Continue after a kill that left ``intent`` written down but no result of it."""
        self.doubt(intent)
        if intent.irreversible:
            await self.settle()
        return await self.finish()

    async def live(self) -> list[LivePost]:
        """What the account's followers see."""
        return await self.sandbox.feed(self.publish.credentials)


def new_walk(
    adapter: Adapter, sandbox: Sandbox, files: FileServer, *, content: Content, credentials: Credentials
) -> Walk:
    """A publish that nothing is known of yet."""
    publish = Publish(content=content, credentials=credentials, progress={}, media=files, started_at=datetime.now(UTC))
    return Walk(adapter=adapter, publish=publish, sandbox=sandbox)


def names_of(steps: Sequence[Step]) -> list[str]:
    """The names of the steps, each once: how often a step is repeated depends on the network's mood."""
    return list(dict.fromkeys(step.name for step in steps))


def kinds_of(steps: Sequence[Step]) -> list[str]:
    """One name for each kind of step: numbered steps are one kind, and faults need not meet all of them."""
    return list({name.rstrip("0123456789"): name for name in reversed(names_of(steps))}.values())[::-1]


async def assert_one_post(case: Case, walk: Walk, done: Done) -> None:
    """The one post people see is the one we think we made."""
    live = await walk.live()
    if case.is_draft:
        assert live == []
        (draft,) = await walk.sandbox.inbox(walk.publish.credentials)
        assert draft["media"] == len(walk.publish.content.media)
        assert (done.platform_post_id, done.permalink) == (None, None)
        assert done.note
        return
    assert [post.id for post in live] == [done.platform_post_id]
    assert done.permalink == (live[0].permalink if case.has_address else None)
    assert done.note or case.has_address
    assert (live[0].caption, live[0].kind) == (walk.publish.content.caption, case.sees_format)
    assert live[0].media_count == len(walk.publish.content.media)
    comment = walk.publish.content.options.get("first_comment")
    assert live[0].comments == ((comment,) if comment else ())
    thread = walk.publish.content.options.get("thread")
    assert live[0].thread == (tuple(thread) if isinstance(thread, list) else ())


async def assert_a_person_decides(case: Case, walk: Walk, intent: Step) -> None:
    """Nothing is sent again where nobody can tell what became of the first time."""
    assert intent.irreversible
    walk.doubt(intent)
    finding = await walk.adapter.find(walk.publish)
    assert (finding.outcome, finding.start_over) == ("unknown", False)
    assert finding.evidence.get("reason"), "a person has to be told why"
    assert len(await walk.live()) <= 1, case.name


def assert_abilities_are_told(manifest: Manifest) -> None:
    """Every ability has its proof, every absence its reason."""
    can = [ability.name for ability in manifest.can]
    assert can
    assert len(set(can)) == len(can)
    assert all(ability.proven_by for ability in manifest.can)
    assert not set(can) & set(manifest.cannot)
    assert all(manifest.cannot.values()), "an absence needs its reason"
