"""Who gets in: keys, one-time links, session cookies, the demo, and who does not."""

import re
from datetime import timedelta

import httpx
from pydantic import SecretStr

from tests.api.conftest import AddMember, Serve, Served, client_of, jpeg
from tests.conftest import NewPrincipal, TestClock
from tools.context import Principal, Role


def link_token(url: str) -> str:
    return url.partition("token=")[2]


async def sign_in(client: httpx.AsyncClient, key: str) -> httpx.Response:
    """Make a link with a key, and open it in this client as a browser would."""
    made = await client.post("/v1/sign-in-links", headers={"Authorization": f"Bearer {key}"})
    token = link_token(made.json()["url"])
    return await client.post("/sign-in", data={"token": token}, headers={"Sec-Fetch-Site": "same-origin"})


async def test_a_key_opens_its_workspace_and_no_key_opens_nothing(served: Served, owner: httpx.AsyncClient) -> None:
    assert (await owner.get("/v1/posts")).status_code == 200
    async with client_of(served.url) as stranger:
        answer = await stranger.get("/v1/posts")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_wrong_key_is_refused_without_a_word_of_it(served: Served) -> None:
    async with client_of(served.url) as stranger:
        for header in ("Bearer studio_wrong", "Bearer", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 5000):
            answer = await stranger.get("/v1/posts", headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert "studio_wrong" not in answer.text


async def test_a_workspace_header_must_be_the_keys_own(
    owner: httpx.AsyncClient, principal: Principal, new_workspace: NewPrincipal
) -> None:
    other = await new_workspace("Bakery")
    own = await owner.get("/v1/posts", headers={"X-Workspace": str(principal.workspace_id)})
    assert own.status_code == 200
    refused = await owner.get("/v1/posts", headers={"X-Workspace": str(other.workspace_id)})
    assert refused.status_code == 403
    assert refused.json()["code"] == "other_workspace"


async def test_a_link_signs_a_browser_in_once(served: Served, owner_key: str) -> None:
    async with client_of(served.url) as browser:
        answer = await sign_in(browser, owner_key)
        assert answer.status_code == 303
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
        assert (await browser.get("/v1/posts")).status_code == 200
        page = await browser.get("/")
        assert page.status_code == 200
        assert 'id="log"' in page.text


async def test_looking_at_a_link_does_not_spend_it_and_spending_does(served: Served, owner: httpx.AsyncClient) -> None:
    token = link_token((await owner.post("/v1/sign-in-links")).json()["url"])
    async with client_of(served.url) as browser:
        page = await browser.get("/sign-in", params={"token": token})
        assert f'value="{token}"' in page.text
        evil = await browser.get("/sign-in", params={"token": '"><script>alert(1)</script>'})
        assert "<script>" not in evil.text
        same = {"Sec-Fetch-Site": "same-origin"}
        assert (await browser.post("/sign-in", data={"token": token}, headers=same)).status_code == 303
        again = await browser.post("/sign-in", data={"token": token}, headers=same)
    assert again.status_code == 401
    assert "set-cookie" not in again.headers


async def test_a_link_and_a_session_end(
    served: Served, owner: httpx.AsyncClient, owner_key: str, clock: TestClock
) -> None:
    token = link_token((await owner.post("/v1/sign-in-links")).json()["url"])
    async with client_of(served.url) as browser:
        await sign_in(browser, owner_key)
        clock.shift(timedelta(minutes=16))
        late = await browser.post("/sign-in", data={"token": token}, headers={"Sec-Fetch-Site": "same-origin"})
        assert late.status_code == 401
        assert (await browser.get("/v1/posts")).status_code == 200
        clock.shift(timedelta(days=31))
        assert (await browser.get("/v1/posts")).status_code == 401


async def test_a_link_is_no_key_and_a_session_is_no_key(
    served: Served, owner: httpx.AsyncClient, owner_key: str
) -> None:
    token = link_token((await owner.post("/v1/sign-in-links")).json()["url"])
    async with client_of(served.url) as browser:
        await sign_in(browser, owner_key)
        secret = browser.cookies["studio_session"]
    async with client_of(served.url, token) as client:
        assert (await client.get("/v1/posts")).status_code == 401
    async with client_of(served.url, secret) as client:
        assert (await client.get("/v1/posts")).status_code == 401
    async with client_of(served.url) as client:
        client.cookies.set("studio_session", owner_key)
        assert (await client.get("/v1/posts")).status_code == 401


# What a browser says of where a request comes from; 422 = let in: the empty body is what is wrong.
ORIGINS: tuple[tuple[dict[str, str], int], ...] = (
    ({"Sec-Fetch-Site": "same-origin"}, 422),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Origin": "SELF"}, 422),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({}, 403),
)


async def test_a_cookie_alone_does_not_write(served: Served, owner_key: str) -> None:
    async with client_of(served.url) as browser:
        await sign_in(browser, owner_key)
        for case, status in ORIGINS:
            headers = {name: served.url if value == "SELF" else value for name, value in case.items()}
            answer = await browser.post("/v1/posts", json={}, headers=headers)
            assert answer.status_code == status, case
            assert (await browser.get("/v1/posts", headers=headers)).status_code == 200


async def test_signing_out_ends_the_session_everywhere(served: Served, owner_key: str) -> None:
    async with client_of(served.url) as browser:
        await sign_in(browser, owner_key)
        secret = browser.cookies["studio_session"]
        out = await browser.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
        assert out.status_code == 204
    async with client_of(served.url) as thief:
        thief.cookies.set("studio_session", secret)
        assert (await thief.get("/v1/posts")).status_code == 401


async def test_the_demo_signs_its_owner_in_on_this_machine_only(serve: Serve, owner_key: str) -> None:
    html = {"Accept": "text/html"}
    async with serve(demo=True, demo_key=SecretStr(owner_key)) as demo:
        async with client_of(demo.url) as browser:
            page = await browser.get("/", headers=html)
            assert page.status_code == 200
            assert "studio_session" in browser.cookies
            assert (await browser.get("/v1/posts")).status_code == 200
            assert "set-cookie" not in (await browser.get("/", headers=html)).headers
        for headers in ({"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}):
            async with client_of(demo.url) as proxied:
                page = await proxied.get("/", headers=html | headers)
                assert "set-cookie" not in page.headers
                assert (await proxied.get("/v1/posts")).status_code == 401
        async with client_of(demo.url) as rebound:
            answer = await rebound.get("/", headers=html | {"Host": "evil.example:8000"})
            assert answer.status_code == 421
            assert answer.json()["code"] == "wrong_host"


async def test_without_the_demo_the_page_asks_to_sign_in(served: Served) -> None:
    async with client_of(served.url) as browser:
        page = await browser.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "studio keys link" in page.text
    assert "set-cookie" not in page.headers


async def test_a_viewer_reads_and_does_not_write(
    viewer: httpx.AsyncClient, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    assert (await viewer.get("/v1/posts")).status_code == 200
    assert (await viewer.get(f"/v1/media/{asset_id}")).status_code == 200
    draft = await viewer.post("/v1/posts", json={"account_id": account_id, "caption": "x"})
    assert draft.status_code == 403
    upload = await viewer.post("/v1/media", files={"file": ("a.jpg", jpeg(colour="#123456"), "image/jpeg")})
    assert upload.status_code == 403


async def test_a_strangers_workspace_sees_nothing_of_this_one(
    served: Served, account_id: str, asset_id: str, new_workspace: NewPrincipal, add_member: AddMember
) -> None:
    other = await new_workspace("Bakery")
    _, key = await add_member(other.workspace_id, Role.OWNER)
    async with client_of(served.url, key) as stranger:
        assert (await stranger.get("/v1/accounts")).json()["items"] == []
        assert (await stranger.get(f"/v1/accounts/{account_id}")).status_code == 404
        assert (await stranger.get(f"/v1/media/{asset_id}")).status_code == 404


async def test_what_me_says_fits_the_page(owner: httpx.AsyncClient) -> None:
    me = (await owner.get("/v1/me")).json()
    assert me["timezone"] == "Europe/Madrid"
    assert me["may_approve"] is True
    assert me["model"] == "offline"
    assert not re.search(r"studio_\w{20}", str(me))
