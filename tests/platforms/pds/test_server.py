"""Bluesky's adapter against a real server: sessions, texts as they are counted, keys, and taking posts down."""

from collections.abc import Mapping
from dataclasses import replace

import psutil
import pytest

from core.jsontypes import JsonObject, JsonValue
from platforms.base import Content, Credentials, Publish, Step
from platforms.bluesky import records
from platforms.bluesky.adapter import BlueskyAdapter
from platforms.bluesky.manifest import MAX_GRAPHEMES
from platforms.bluesky.session import Keys
from platforms.errors import ContentRefused, OutcomeUnknown, ReconnectNeeded, Refused, TokenExpired, Transient
from platforms.progress import inner, names, objects
from tests.platforms.cases.bluesky import FAMILY, NEIGHBOUR, NEIGHBOURS_POST, photo, words
from tests.platforms.contract import Walk, new_walk
from tests.platforms.pds.conftest import RealWorld
from tests.platforms.pds.running import OWN_PASSWORD, POSTS, Pds
from tests.platforms.world import FileServer

# Characters that take several code points, by what makes one of them, and some that only look as if they did.
CHARACTERS: Mapping[str, str] = {
    "letter": "x",
    "accent": "e\N{COMBINING ACUTE ACCENT}",
    "family": FAMILY,
    "flag": "\N{REGIONAL INDICATOR SYMBOL LETTER E}\N{REGIONAL INDICATOR SYMBOL LETTER S}",
    "flag of Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "skin": "\N{WAVING HAND SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-5}",
    "keycap": "1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}",
    "line": "\r\n",
    "Hangul in parts": "\N{HANGUL CHOSEONG HIEUH}\N{HANGUL JUNGSEONG A}\N{HANGUL JONGSEONG NIEUN}",
    "Devanagari": "\N{DEVANAGARI LETTER NA}\N{DEVANAGARI VOWEL SIGN I}",
    "Devanagari conjunct": "\N{DEVANAGARI LETTER KA}\N{DEVANAGARI SIGN VIRAMA}\N{DEVANAGARI LETTER SSA}",
    "Tamil": "\N{TAMIL LETTER NA}\N{TAMIL VOWEL SIGN I}",
    "Thai": "\N{THAI CHARACTER KO KAI}\N{THAI CHARACTER SARA AM}",
    "Arabic": "\N{ARABIC LETTER BEH}\N{ARABIC FATHA}",
    "joined without need": "a\N{ZERO WIDTH JOINER}",
    "apart": "a\N{ZERO WIDTH NON-JOINER}",
    "Chinese": "\N{CJK UNIFIED IDEOGRAPH-4E2D}",
}


async def begun(
    world: RealWorld,
    files: FileServer,
    adapter: BlueskyAdapter,
    caption: str,
    *,
    reply_to: str | None = None,
    thread: list[str] | None = None,
) -> Walk:
    credentials = await world.connect("bluesky")
    options: dict[str, JsonValue] = {"thread": thread or []}
    if reply_to is not None:
        options["reply_to"] = reply_to
    content = Content(format="text", caption=caption, options=options)
    return new_walk(adapter, world, files, content=content, credentials=credentials)


def written(pds: Pds, publish: Publish) -> JsonObject:
    """The one record of the account."""
    (record,) = pds.records(publish.credentials.external_id)
    return inner(record, "value")


def test_it_listens_on_loopback_alone(pds: Pds) -> None:
    bound = {found.laddr.ip for found in psutil.Process(pds.pid).net_connections() if found.status == "LISTEN"}
    assert bound == {"127.0.0.1"}


# -- texts


@pytest.mark.parametrize("character", CHARACTERS)
async def test_a_text_is_refused_exactly_where_we_refuse_it(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer, character: str
) -> None:
    """3,000 bytes are another limit: bulky characters are counted beside plain ones."""
    bulky = min(MAX_GRAPHEMES - 1, 2_600 // len(CHARACTERS[character].encode()))
    for length in (MAX_GRAPHEMES, MAX_GRAPHEMES + 1):
        caption = CHARACTERS[character] * bulky + "y" * (length - bulky)
        assert adapter.text_length(caption) == length
        walk = await begun(world, files, adapter, caption)
        if adapter.validate(walk.publish.content):
            with pytest.raises(ContentRefused):
                await walk.finish()
            assert length > MAX_GRAPHEMES
        else:
            await walk.finish()
            assert length == MAX_GRAPHEMES
            assert written(pds, walk.publish)["text"] == caption


async def test_what_can_be_clicked_lies_where_its_bytes_lie(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer
) -> None:
    caption = f"Café ☕ {FAMILY} by @{NEIGHBOUR}, not @nobody.test: (https://example.org/ñ?a=b). #olé, #2026 #100%"
    walk = await begun(world, files, adapter, caption)
    await walk.finish()
    record = written(pds, walk.publish)
    raw = str(record["text"]).encode()
    shown = [
        (raw[int(str(index["byteStart"])) : int(str(index["byteEnd"]))].decode(), feature)
        for facet in objects(record, "facets")
        for index in [inner(facet, "index")]
        for feature in objects(facet, "features")
    ]
    did = pds.client.get("com.atproto.identity.resolveHandle", params={"handle": NEIGHBOUR}).json()["did"]
    assert shown == [
        (f"@{NEIGHBOUR}", {"$type": "app.bsky.richtext.facet#mention", "did": did}),
        ("https://example.org/ñ?a=b", {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/ñ?a=b"}),
        ("#olé", {"$type": "app.bsky.richtext.facet#tag", "tag": "olé"}),
        ("#100%", {"$type": "app.bsky.richtext.facet#tag", "tag": "100%"}),
    ]


async def test_each_post_of_a_thread_names_the_one_before_and_the_first(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer
) -> None:
    walk = await begun(world, files, adapter, "one", thread=["two", "three"])
    await walk.finish()
    three, two, one = pds.records(walk.publish.credentials.external_id)
    named = [{"uri": post["uri"], "cid": post["cid"]} for post in (one, two)]
    assert inner(two, "value", "reply") == {"root": named[0], "parent": named[0]}
    assert inner(three, "value", "reply") == {"root": named[0], "parent": named[1]}


async def test_an_answer_names_what_it_answers_and_where_that_began(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer
) -> None:
    first = await begun(world, files, adapter, "I answer", reply_to=NEIGHBOURS_POST)
    done = await first.finish()
    second = await begun(world, files, adapter, "So do I", reply_to=done.platform_post_id)
    await second.finish()
    root = inner(written(pds, first.publish), "reply", "root")
    assert inner(written(pds, first.publish), "reply") == {"root": root, "parent": root}
    reply = inner(written(pds, second.publish), "reply")
    assert (reply["root"], inner(reply, "parent")["uri"]) == (root, done.platform_post_id)


# -- keys


@pytest.mark.parametrize("thread", [[], ["and more"]])
async def test_a_post_that_another_wrote_under_our_key_is_left_alone(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer, thread: list[str]
) -> None:
    walk = await begun(world, files, adapter, "ours", thread=thread)
    step = await walk.before_the_irreversible()
    key, *_ = names(walk.progress, "keys")
    theirs: JsonObject = {"$type": POSTS, "text": "theirs", "createdAt": "2026-11-25T08:00:00.000Z"}
    pds.put(walk.publish.credentials, key, theirs)
    with pytest.raises(OutcomeUnknown):
        await walk.perform(step)
    walk.doubt(step)
    finding = await adapter.find(walk.publish)
    assert finding.outcome == "unknown"
    assert finding.evidence["reason"]
    assert written(pds, walk.publish) == theirs


async def test_our_post_in_another_form_is_still_ours(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer
) -> None:
    walk = await begun(world, files, adapter, "ours")
    step = await walk.before_the_irreversible()
    (record,) = records.records_of(walk.publish.content, walk.progress, did=walk.publish.credentials.external_id)
    pds.put(walk.publish.credentials, record.key, {**record.value, "langs": ["en"]})
    with pytest.raises(OutcomeUnknown) as raised:
        await walk.perform(step)
    assert raised.value.platform_code == "InvalidSwap"
    walk.doubt(step)
    assert (await walk.settle()).outcome == "posted"
    assert (await walk.finish()).platform_post_id == record.uri


async def test_a_picture_that_the_server_forgot_is_sent_again(
    adapter: BlueskyAdapter, world: RealWorld, files: FileServer
) -> None:
    content = words("lost", "image", photo(files))
    walk = new_walk(adapter, world, files, content=content, credentials=await world.connect("bluesky"))
    step = await walk.before_the_irreversible()
    (blob,) = objects(walk.progress, "blobs")
    unknown = {"$link": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"}
    walk.keep({"blobs": [{**blob, "ref": unknown}]})
    with pytest.raises(Transient) as raised:
        await walk.perform(step)
    assert raised.value.start_over


# -- sessions


async def test_an_expired_token_is_renewed(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer
) -> None:
    walk = await begun(world, files, adapter, "late")
    await walk.before_the_irreversible()
    fresh = walk.publish.credentials
    old = replace(fresh, access_token=pds.expired(fresh))
    walk.publish = replace(walk.publish, credentials=old)
    step = walk.next()
    assert isinstance(step, Step)
    with pytest.raises(TokenExpired) as raised:
        await walk.perform(step)
    assert raised.value.platform_code == "ExpiredToken"
    grant = await adapter.refresh(old)
    assert grant.expires_at is not None
    walk.publish = replace(walk.publish, credentials=replace(old, access_token=grant.access_token))
    await walk.finish()


async def test_a_renewal_whose_answer_was_lost_can_be_asked_again(pds: Pds, adapter: BlueskyAdapter) -> None:
    credentials = pds.new_account()
    lost, again = await adapter.refresh(credentials), await adapter.refresh(credentials)
    assert again.refresh_token == lost.refresh_token != credentials.refresh_token


async def test_a_person_connects_with_handle_and_app_password(pds: Pds, adapter: BlueskyAdapter) -> None:
    account = pds.new_account()
    password = pds.app_password(account)
    given = Credentials(external_id="", handle=f"@{account.handle}", access_token=password)
    connection = await adapter.open_session(given)
    assert (connection.identity.external_id, connection.identity.handle) == (account.external_id, account.handle)
    assert connection.grant is not None
    keys = Keys.read(connection.grant.refresh_token)
    assert keys is not None
    assert keys.app_password == password
    assert password not in f"{connection} {keys}"
    held = replace(account, access_token=connection.grant.access_token, refresh_token=connection.grant.refresh_token)
    assert (await adapter.open_session(held)).grant is None, "a token in hand is kept as it is"

    # Signed out everywhere: the refresh token is dead, and the password opens a new session.
    pds.call("com.atproto.server.deleteSession", token=keys.refresh_token)
    grant = await adapter.refresh(held)
    assert (await adapter.identify(replace(held, access_token=grant.access_token))).handle == account.handle
    renewed = Keys.read(grant.refresh_token)
    assert renewed is not None
    assert (renewed.app_password, renewed.refresh_token != keys.refresh_token) == (password, True)


async def test_a_dead_session_without_a_password_needs_a_person(pds: Pds, adapter: BlueskyAdapter) -> None:
    account = pds.new_account()
    pds.call("com.atproto.server.deleteSession", token=account.refresh_token)
    with pytest.raises(ReconnectNeeded):
        await adapter.refresh(account)


async def test_a_revoked_app_password_needs_a_person(pds: Pds, adapter: BlueskyAdapter) -> None:
    account = pds.new_account()
    keys = Keys(refresh_token="of.another.life", app_password="aaaa-bbbb-cccc-dddd")
    with pytest.raises(ReconnectNeeded) as raised:
        await adapter.refresh(replace(account, refresh_token=keys.kept()))
    assert "app password" in raised.value.action


async def test_the_accounts_own_password_is_not_even_sent(pds: Pds) -> None:
    account = pds.new_account()
    lost = BlueskyAdapter(pds_url="http://127.0.0.1:1")
    with pytest.raises(Refused) as raised:
        await lost.open_session(replace(account, access_token=OWN_PASSWORD))
    await lost.aclose()
    assert raised.value.code == "not_an_app_password"


# -- afterwards


@pytest.mark.parametrize("thread", [[], ["two", "three"]])
async def test_a_post_is_taken_down_with_its_thread_and_a_second_time_is_fine(
    pds: Pds, adapter: BlueskyAdapter, world: RealWorld, files: FileServer, thread: list[str]
) -> None:
    walk = await begun(world, files, adapter, "one", thread=thread)
    credentials = walk.publish.credentials
    done = await walk.finish()
    other = new_walk(adapter, world, files, content=words("stays"), credentials=credentials)
    kept = await other.finish()
    assert done.platform_post_id
    for _ in range(2):
        await adapter.delete(credentials, done.platform_post_id)
        assert [record["uri"] for record in pds.records(credentials.external_id)] == [kept.platform_post_id]


async def test_counts_wait_while_the_service_behind_the_server_is_away(pds: Pds, adapter: BlueskyAdapter) -> None:
    account = pds.new_account()
    with pytest.raises(Transient) as raised:
        await adapter.read_counts(account, [records.uri_of(account.external_id, "3lneighbour22")])
    assert raised.value.platform_code == "UpstreamFailure"
