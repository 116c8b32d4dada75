"""The contract every adapter keeps, for each of its formats; a file in ``cases/`` puts another adapter under it."""

import copy
import importlib
import itertools
import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.jsontypes import JsonObject
from platforms.base import Adapter, Content, Done, RepeatSafety, Step
from platforms.errors import OutcomeUnknown, PlatformError, RateLimited, ReconnectNeeded, TokenExpired, Transient
from tests.platforms.contract import (
    Case,
    Walk,
    assert_a_person_decides,
    assert_abilities_are_told,
    assert_one_post,
    kinds_of,
    names_of,
    new_walk,
)
from tests.platforms.world import SIGNATURE, FileServer, Sandbox

CASES: tuple[Case, ...] = tuple(
    case
    for file in sorted((Path(__file__).parent / "cases").glob("*.py"))
    for case in importlib.import_module(f"tests.platforms.cases.{file.stem}").CASES
)
# What a broken exchange looks like from outside. Whether the deed was done is not to be told by it.
BREAKAGES: dict[str, JsonObject] = {
    "drop_before": {},
    "drop_after": {},
    "truncate": {},
    "status": {"status": 500},
    "status_after": {"status": 502, "body": "<html>bad gateway</html>"},
}
NEVER_DONE = frozenset({"drop_before", "status"})
_captions = (f"Espresso number {number} ☕" for number in itertools.count(1))

pytestmark = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


async def begin(
    case: Case, sandbox: Sandbox, files: FileServer, adapter: Adapter, content: Content | None = None
) -> Walk:
    """A publish of a good content on a new account."""
    credentials = await sandbox.connect(case.platform, login=case.login)
    content = content or case.content(files, next(_captions))
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def whole_walk(case: Case, sandbox: Sandbox, files: FileServer, adapter: Adapter) -> list[Step]:
    """The steps of an undisturbed publish."""
    walk = await begin(case, sandbox, files, adapter)
    await walk.finish()
    return walk.steps


def text_of(*things: object) -> str:
    """Everything that would be stored, as one text."""
    return json.dumps(things, default=repr, ensure_ascii=False)


# -- what is declared


async def test_the_manifest_is_complete_and_consistent(case: Case, sandbox: Sandbox) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        manifest = adapter.manifest
    assert manifest.platform == case.platform
    assert manifest.title
    names = [rules.name for rules in manifest.formats]
    assert len(set(names)) == len(names)
    assert set(names) == {other.format for other in CASES if other.platform == case.platform}, "a format without a case"
    for rules in manifest.formats:
        assert 0 <= rules.min_media <= rules.max_media
        assert rules.kinds or rules.max_media == 0
        assert rules.max_text > 0 or rules.max_media > 0
        assert manifest.format_rules(rules.name) is rules
    assert_abilities_are_told(manifest)
    times = [re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):[0-5]\d", t) for t in manifest.posting_times]
    assert times
    assert all(times)


async def test_the_good_content_is_of_the_cases_format(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        content = case.content(files, "good")
        assert adapter.validate(content) == ()
        assert adapter.choose_format(replace(content, format="")) == (case.chosen or case.format)


async def test_text_is_counted_like_a_length(case: Case, sandbox: Sandbox) -> None:
    async with case.open_adapter(sandbox.url) as adapter:

        @settings(max_examples=200, deadline=None)
        @given(st.text(), st.text(), st.text(alphabet="abcdefghij klmno."))
        def holds(one: str, other: str, plain: str) -> None:
            assert adapter.text_length("") == 0
            assert adapter.text_length(plain) == len(plain)
            assert 0 <= adapter.text_length(one) == adapter.text_length(one)
            # Letters may melt together where texts meet, but nothing grows by being joined.
            assert adapter.text_length(one + other) <= adapter.text_length(one) + adapter.text_length(other)
            assert adapter.text_length(one + "x" + other) > 0

        holds()


# -- the walk


async def test_a_walk_from_nothing_ends_with_a_live_post(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        walk = await begin(case, sandbox, files, adapter)
        done = await walk.finish()
        await assert_one_post(case, walk, done)
        assert walk.next() == done
    irreversible = [step for step in walk.steps if step.irreversible]
    assert irreversible, "nothing becomes public without an irreversible step"
    assert all((step.repeat is RepeatSafety.NONE) == (not case.finds) for step in irreversible)
    assert [step.otherwise is None for step in irreversible] == [True] + [False] * (len(irreversible) - 1)


async def test_the_next_step_depends_on_content_and_progress_alone(
    case: Case, sandbox: Sandbox, files: FileServer
) -> None:
    async with case.open_adapter(sandbox.url) as adapter, case.open_adapter(sandbox.url) as another:
        walk = await begin(case, sandbox, files, adapter)
        met: set[tuple[str, str]] = set()
        while True:
            content, progress = copy.deepcopy((walk.publish.content, walk.progress))
            step = walk.next()
            assert step == walk.next() == another.next_step(content, progress)
            assert (content, progress) == (walk.publish.content, walk.progress), "next_step must change nothing"
            if isinstance(step, Done):
                break
            key = (step.name, json.dumps(walk.progress, sort_keys=True))
            assert key not in met, "the same step at the same progress: a walk in a circle"
            met.add(key)
            assert json.loads(json.dumps(step.sends)) == step.sends
            assert step.delay >= 0
            await walk.perform(step)


async def test_every_step_makes_one_outward_call(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        walk = await begin(case, sandbox, files, adapter)
        while isinstance(step := walk.next(), Step):
            before = await sandbox.last_call()
            await walk.perform(step)
            received = await sandbox.calls(walk.publish.credentials, f"{case.platform}.*", since=before)
            assert [call["route"] for call in received] == [case.route(step)], step.name


# -- kills


@pytest.mark.parametrize("killed", ["before the call", "after the call"])
async def test_a_kill_anywhere_ends_with_exactly_one_post(
    case: Case, sandbox: Sandbox, files: FileServer, killed: str
) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        for name in names_of(await whole_walk(case, sandbox, files, adapter)):
            walk = await begin(case, sandbox, files, adapter)
            intent = await walk.before(name)
            if killed == "after the call":
                await walk.perform_and_forget(intent)
            elif intent.irreversible and not case.rules_out:
                await assert_a_person_decides(case, walk, intent)
                assert await walk.live() == []
                continue
            async with case.open_adapter(sandbox.url) as reborn:
                walk.adapter = reborn
                if intent.irreversible and not case.finds:
                    await assert_a_person_decides(case, walk, intent)
                    assert len(await walk.live()) == (killed == "after the call")
                    continue
                await assert_one_post(case, walk, await walk.resume(intent))


async def test_find_tells_before_and_after(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        walk = await begin(case, sandbox, files, adapter)
        while not (isinstance(step := walk.next(), Step) and step.irreversible):
            assert isinstance(step, Step)
            finding = await adapter.find(walk.publish)
            assert (finding.outcome, finding.start_over) == ("not_posted", False)
            await walk.perform(step)
        assert (await adapter.find(walk.publish)).outcome == "not_posted"
        await walk.perform_and_forget(step)
        if not case.finds:
            await assert_a_person_decides(case, walk, step)
            return
        finding = await walk.settle()
        assert finding.outcome == "posted"
        assert json.loads(json.dumps(finding.evidence)) == finding.evidence
        assert finding.evidence
        await assert_one_post(case, walk, await walk.finish())


async def test_find_does_not_take_a_post_that_another_row_owns(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    if case.is_draft or not case.finds:
        pytest.skip("find never answers with a post here")
    async with case.open_adapter(sandbox.url) as adapter:
        walk = await begin(case, sandbox, files, adapter)
        first = await walk.finish()
        twin = new_walk(adapter, sandbox, files, content=walk.publish.content, credentials=walk.publish.credentials)
        step = await twin.before_the_irreversible()
        assert first.platform_post_id
        twin.publish = replace(twin.publish, known_post_ids=frozenset({first.platform_post_id}))
        if case.refuses_twins:
            # "A duplicate" may be said of our own post, so we look; what we see is another row's.
            with pytest.raises(OutcomeUnknown):
                await twin.perform(step)
            assert (await twin.settle()).outcome == "not_posted"
            assert [post.id for post in await walk.live()] == [first.platform_post_id]
            return
        await twin.perform_and_forget(step)
        await twin.settle()
        second = await twin.finish()
    assert {post.id for post in await walk.live()} == {first.platform_post_id, second.platform_post_id}
    assert first.platform_post_id != second.platform_post_id


# -- faults


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_a_broken_call_is_unknown_only_where_it_may_have_posted(
    case: Case, sandbox: Sandbox, files: FileServer, breakage: str
) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        for name in kinds_of(await whole_walk(case, sandbox, files, adapter)):
            walk = await begin(case, sandbox, files, adapter)
            step = await walk.before(name)
            match_account = walk.publish.credentials.external_id
            await sandbox.plant(case.route(step), breakage, match=match_account, **BREAKAGES[breakage])
            expected = OutcomeUnknown if step.irreversible else Transient
            try:
                await walk.perform(step)
            except PlatformError as raised:
                assert type(raised) is expected, step.name  # noqa: PT017 - absorbing steps raise nothing
            else:
                assert step.name in case.absorbs, f"{step.name} did not notice"
            if step.irreversible and (not case.finds or (not case.rules_out and breakage in NEVER_DONE)):
                await assert_a_person_decides(case, walk, step)
                assert len(await walk.live()) == (breakage not in NEVER_DONE)
                continue
            await assert_one_post(case, walk, await walk.resume(step))


async def test_silence_after_the_irreversible_call_is_unknown(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter, case.open_adapter(sandbox.url, timeout=0.4) as hasty:
        walk = await begin(case, sandbox, files, adapter)
        step = await walk.before_the_irreversible()
        await sandbox.plant(case.route(step), "delay", delay_seconds=0.8, match=walk.publish.credentials.external_id)
        with pytest.raises(OutcomeUnknown):
            await hasty.perform(step, walk.publish)
        # The network does it late: the engine waits the settle time before it looks.
        while not case.is_draft and not await walk.live():
            await adapter.find(walk.publish)
        if not case.finds:
            await assert_a_person_decides(case, walk, step)
            return
        await assert_one_post(case, walk, await walk.resume(step))


@pytest.mark.parametrize(("kind", "expected"), [("rate_limit", RateLimited), ("expired_token", TokenExpired)])
async def test_a_limit_and_an_expired_token_are_told_at_every_step(
    case: Case, sandbox: Sandbox, files: FileServer, kind: str, expected: type[PlatformError]
) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        for name in kinds_of(await whole_walk(case, sandbox, files, adapter)):
            walk = await begin(case, sandbox, files, adapter)
            step = await walk.before(name)
            if kind == "expired_token" and step.name in case.addressed:
                continue
            await sandbox.plant(case.route(step), kind, match=walk.publish.credentials.external_id)
            with pytest.raises(PlatformError) as raised:
                await walk.perform(step)
            assert type(raised.value) is expected, step.name
            assert kind != "rate_limit" or (raised.value.retry_after or 0) > 0
            await assert_one_post(case, walk, await walk.finish())


async def test_a_network_that_is_down_has_done_nothing(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter, case.open_adapter("http://127.0.0.1:1") as lost:
        for name in kinds_of(await whole_walk(case, sandbox, files, adapter)):
            walk = await begin(case, sandbox, files, adapter)
            step = await walk.before(name)
            if step.name in case.addressed:
                continue  # it knows where to go by itself
            with pytest.raises(Transient) as raised:
                await lost.perform(step, walk.publish)
            assert type(raised.value) is Transient
            assert not raised.value.start_over


# -- the rules, ours and theirs


async def test_what_we_accept_the_network_accepts(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        for name, content in case.accepted(files).items():
            assert adapter.validate(content) == (), name
            walk = await begin(case, sandbox, files, adapter, content)
            await assert_one_post(case, walk, await walk.finish())


async def test_what_we_refuse_the_network_refuses(case: Case, sandbox: Sandbox, files: FileServer) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        for name, refusal in case.refused(files).items():
            problems = adapter.validate(refusal.content)
            assert [problem.code for problem in problems] == [refusal.code], name
            assert all(problem.path and problem.message.endswith(".") for problem in problems), name
            if refusal.not_asked:
                continue
            walk = await begin(case, sandbox, files, adapter, refusal.content)
            with pytest.raises(PlatformError) as raised:
                await walk.finish()
            assert type(raised.value) is refusal.network, f"{name}: {raised.value.message}"
            assert await walk.live() == [], name


# -- secrets


async def test_no_secret_is_written_down(
    case: Case, sandbox: Sandbox, files: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[object] = []
    with caplog.at_level(logging.DEBUG):
        async with case.open_adapter(sandbox.url) as adapter:
            walk = await begin(case, sandbox, files, adapter)
            tokens = [walk.publish.credentials.access_token]
            for name in kinds_of(await whole_walk(case, sandbox, files, adapter)):
                broken = await begin(case, sandbox, files, adapter)
                tokens.append(broken.publish.credentials.access_token)
                step = await broken.before(name)
                echo: JsonObject = {"error": {"message": f"Malformed access token {tokens[-1]}", "code": 190}}
                match_account = broken.publish.credentials.external_id
                await sandbox.plant(case.route(step), "status", match=match_account, status=400, body=echo)
                try:
                    await broken.perform(step)
                except PlatformError as error:
                    errors += [str(error), repr(error), vars(error)]
                walk.written += broken.written
            walk.publish = replace(walk.publish, progress={}, started_at=datetime.now(UTC))
            await walk.settle()
            await walk.finish()
            grant = await adapter.refresh(walk.publish.credentials)
            errors += [walk.publish, adapter, grant]
    assert errors
    assert caplog.text
    for text in (text_of(walk.written, walk.steps), text_of(errors), caplog.text):
        assert not [token for token in tokens if token in text]
        assert grant.access_token not in text
        assert SIGNATURE not in text


# -- tokens


async def test_the_token_says_whose_it_is(case: Case, sandbox: Sandbox) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        credentials = await sandbox.connect(case.platform, login=case.login)
        identity = await adapter.identify(credentials)
        assert (identity.external_id, identity.handle) == (credentials.external_id, credentials.handle)
        with pytest.raises(PlatformError) as raised:
            await adapter.identify(replace(credentials, access_token="nobodys"))
        assert type(raised.value) is case.dead_token


async def test_a_refreshed_token_works(case: Case, sandbox: Sandbox) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        credentials = await sandbox.connect(case.platform, login=case.login)
        grant = await adapter.refresh(credentials)
        assert grant.access_token != credentials.access_token
        assert grant.expires_at is None or grant.expires_at > datetime.now(UTC)
        assert (await adapter.identify(replace(credentials, access_token=grant.access_token))).handle


async def test_a_dead_token_needs_a_person(case: Case, sandbox: Sandbox) -> None:
    async with case.open_adapter(sandbox.url) as adapter:
        revoked = await sandbox.connect(case.platform, login=case.login)
        await sandbox.change_token(revoked, revoked_subcode=458)
        with pytest.raises(PlatformError) as raised:
            await adapter.identify(revoked)
        assert type(raised.value) is case.dead_token
        with pytest.raises(ReconnectNeeded):
            await adapter.refresh(revoked)
