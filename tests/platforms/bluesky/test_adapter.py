"""Bluesky's adapter against the twin of its server: counts, refusals, limits, and the account behind a session."""

from dataclasses import replace

import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Counts, Credentials
from platforms.bluesky.adapter import BlueskyAdapter
from platforms.bluesky.records import new_keys, uri_of
from platforms.errors import (
    AccountBlocked,
    ContentRefused,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    TokenExpired,
    Transient,
)
from platforms.progress import inner
from tests.platforms.cases.bluesky import photo, words
from tests.platforms.contract import Walk, new_walk
from tests.platforms.world import FileServer, Sandbox


async def begun(sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter, content: Content | None = None) -> Walk:
    credentials = await sandbox.connect("bluesky")
    content = content or words("Espresso")
    return new_walk(adapter, sandbox, files, content=content, credentials=credentials)


async def refusal_of(adapter: BlueskyAdapter, credentials: Credentials) -> PlatformError:
    with pytest.raises(PlatformError) as raised:
        await adapter.identify(credentials)
    return raised.value


# -- counts


async def test_counts_are_told_for_what_is_known(sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter) -> None:
    walk = await begun(sandbox, files, adapter)
    uri = (await walk.finish()).platform_post_id
    assert uri is not None
    await sandbox.tell(f"posts/{uri}/counts", likes=7, comments=3, shares=2, saves=1)
    unknown = uri[:-1] + ("2" if uri[-1] != "2" else "3")
    counts = await adapter.read_counts(walk.publish.credentials, [uri, unknown, "seen on my phone"])
    assert counts == {uri: Counts(likes=7, comments=3, shares=2, saves=1)}
    assert await adapter.read_counts(walk.publish.credentials, []) == {}


async def test_counts_are_asked_for_25_posts_at_a_time(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begun(sandbox, files, adapter)
    uri = (await walk.finish()).platform_post_id
    assert uri is not None
    others = [uri_of(walk.publish.credentials.external_id, key) for key in new_keys(25)]
    counts = await adapter.read_counts(walk.publish.credentials, [*others, uri])
    assert list(counts) == [uri]
    assert len(await sandbox.calls(walk.publish.credentials, "bluesky.get_posts")) == 2


async def test_a_service_that_is_away_is_a_condition(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter
) -> None:
    credentials = await sandbox.connect("bluesky")
    body: JsonObject = {"error": "UpstreamFailure", "message": "Upstream service unreachable"}
    await sandbox.plant("bluesky.get_posts", "status", status=502, body=body, match=credentials.external_id)
    with pytest.raises(Transient) as raised:
        await adapter.read_counts(credentials, ["at://did:plc:x/app.bsky.feed.post/3lneighbour22"])
    assert raised.value.platform_code == "UpstreamFailure"


# -- what a server says


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (400, "ExpiredToken", TokenExpired),
        (400, "InvalidToken", TokenExpired),
        (401, "AuthMissing", TokenExpired),
        (401, "AccountTakedown", AccountBlocked),
        (400, "RepoDeactivated", AccountBlocked),
        (403, "AccountNotFound", ReconnectNeeded),
        (400, "InvalidRequest", ContentRefused),
        (413, "PayloadTooLarge", ContentRefused),
        (413, None, ContentRefused),
        (429, "RateLimitExceeded", RateLimited),
        (404, "XRPCNotSupported", Refused),
        (501, "MethodNotImplemented", Refused),
        (418, "Teapot", Refused),
    ],
)
@pytest.mark.parametrize("route", ["bluesky.get_session", "bluesky.put_record"])
async def test_a_servers_word_is_a_condition_everywhere(
    sandbox: Sandbox,
    files: FileServer,
    adapter: BlueskyAdapter,
    status: int,
    name: str | None,
    expected: type[PlatformError],
    route: str,
) -> None:
    walk = await begun(sandbox, files, adapter)
    step = await walk.before("publish" if route.endswith("record") else "begin")
    body: JsonValue = {"error": name, "message": "No."} if name else "<html>no</html>"
    await sandbox.plant(route, "status", status=status, body=body, match=walk.publish.credentials.external_id)
    with pytest.raises(PlatformError) as raised:
        await walk.perform(step)
    assert (type(raised.value), raised.value.platform_code) == (expected, name)


@pytest.mark.parametrize(("status", "name"), [(500, "InternalServerError"), (502, "UpstreamFailure"), (503, None)])
async def test_a_broken_server_is_unknown_where_it_may_have_written(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter, status: int, name: str | None
) -> None:
    for step_name, route, expected in (
        ("begin", "bluesky.get_session", Transient),
        ("publish", "bluesky.put_record", OutcomeUnknown),
    ):
        walk = await begun(sandbox, files, adapter)
        step = await walk.before(step_name)
        account = walk.publish.credentials.external_id
        await sandbox.plant(route, "status", status=status, body={"error": name}, match=account)
        with pytest.raises(expected) as raised:
            await walk.perform(step)
        assert type(raised.value) is expected


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "17", "RateLimit-Reset": "1"}, 17, 17),
        ({"RateLimit-Reset": "1"}, 1, 1),  # that moment has passed
        ({"RateLimit-Reset": "soon"}, 300, 300),
        ({}, 1, 30),  # the twin's own header: half a minute from now
    ],
)
async def test_a_limit_is_waited_for(
    sandbox: Sandbox, adapter: BlueskyAdapter, headers: dict[str, str], least: float, most: float
) -> None:
    credentials = await sandbox.connect("bluesky")
    kind = {"kind": "status", "status": 429} if headers else {"kind": "rate_limit"}
    await sandbox.plant("bluesky.get_session", headers=headers, match=credentials.external_id, **kind)
    error = await refusal_of(adapter, credentials)
    assert isinstance(error, RateLimited)
    assert least <= (error.retry_after or 0) <= most


async def test_a_servers_echo_of_a_token_is_not_kept(sandbox: Sandbox, adapter: BlueskyAdapter) -> None:
    credentials = await sandbox.connect("bluesky")
    body: JsonObject = {"error": "InvalidRequest", "message": f"Odd: {credentials.access_token}"}
    await sandbox.plant("bluesky.get_session", "status", status=400, body=body, match=credentials.external_id)
    assert "***" in (await refusal_of(adapter, credentials)).message


# -- the account


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ({"did": "did:plc:another", "handle": "a.test", "active": True}, ReconnectNeeded),
        ({"handle": "a.test", "active": False, "status": "takendown"}, AccountBlocked),
    ],
)
async def test_nothing_is_sent_for_an_account_that_may_not_post(
    sandbox: Sandbox,
    files: FileServer,
    adapter: BlueskyAdapter,
    session: JsonObject,
    expected: type[PlatformError],
) -> None:
    walk = await begun(sandbox, files, adapter)
    account = walk.publish.credentials.external_id
    await sandbox.plant("bluesky.get_session", "status", status=200, body={"did": account, **session}, match=account)
    with pytest.raises(expected):
        await walk.finish()
    assert await walk.live() == []


async def test_a_handle_that_leads_nowhere_is_not_in_the_address(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begun(sandbox, files, adapter)
    account = walk.publish.credentials.external_id
    body: JsonObject = {"did": account, "handle": "handle.invalid", "active": True}
    await sandbox.plant("bluesky.get_session", "status", status=200, body=body, match=account)
    assert f"/profile/{account}/post/" in str((await walk.finish()).permalink)


async def test_a_login_is_made_when_the_renewal_is_refused_and_never_otherwise(
    sandbox: Sandbox, adapter: BlueskyAdapter
) -> None:
    password = "aaaa-bbbb-cccc-dddd"
    credentials = await sandbox.connect("bluesky", app_password=password)
    held = replace(credentials, refresh_token=f"{credentials.refresh_token} {password}")
    for fault, logins in ((None, 0), ("drop_before", 0), ("expired_token", 1)):
        if fault is not None:
            await sandbox.plant("bluesky.refresh_session", fault, match=None)
        try:
            grant = await adapter.refresh(held)
        except Transient:
            assert fault == "drop_before"
        else:
            assert str(grant.refresh_token).endswith(f" {password}")
        assert len(await sandbox.calls(credentials, "bluesky.create_session")) == logins


# -- what is sent


async def test_images_bear_their_words_and_their_shape(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter
) -> None:
    silent = replace(photo(files, 400, 300), alt_text=None)
    shapeless = replace(photo(files, 300, 400), width=None, height=None)
    walk = await begun(sandbox, files, adapter, words("", "image", silent, shapeless))
    await walk.finish()
    found = await adapter._calls.find_record(walk.publish, str(walk.progress["uri"]).rsplit("/", 1)[-1])
    assert found is not None
    images = inner(found, "value", "embed")["images"]
    assert isinstance(images, list)
    assert [(image["alt"], image.get("aspectRatio")) for image in images] == [
        ("", {"width": 400, "height": 300}),
        ("A cup of coffee", None),
    ]


async def test_a_post_to_answer_that_is_gone_is_said(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter
) -> None:
    gone = "https://bsky.app/profile/neighbour.test/post/3lneighbour2z"
    walk = await begun(sandbox, files, adapter, words("hi", reply_to=gone))
    with pytest.raises(ContentRefused) as raised:
        await walk.finish()
    assert raised.value.code == "reply_target_missing"
    assert await walk.live() == []


async def test_taking_down_twice_is_fine_and_spares_the_others(
    sandbox: Sandbox, files: FileServer, adapter: BlueskyAdapter
) -> None:
    walk = await begun(sandbox, files, adapter, words("one", thread=["two", "three"]))
    credentials = walk.publish.credentials
    done = await walk.finish()
    other = await new_walk(adapter, sandbox, files, content=words("stays"), credentials=credentials).finish()
    assert done.platform_post_id
    for _ in range(2):
        await adapter.delete(credentials, done.platform_post_id)
        assert [post.id for post in await sandbox.feed(credentials)] == [other.platform_post_id]


async def test_what_is_no_address_of_a_post_is_not_taken_down(sandbox: Sandbox, adapter: BlueskyAdapter) -> None:
    credentials = await sandbox.connect("bluesky")
    with pytest.raises(Refused) as raised:
        await adapter.delete(credentials, "seen on my phone")
    assert raised.value.code == "cannot_delete"
    await adapter.delete(credentials, f"https://bsky.app/profile/{credentials.handle}/post/3lneighbour22")  # not there
