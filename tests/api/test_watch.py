"""What is watched, over HTTP: notifications, and the numbers that an alert can rest on."""

import asyncio
import re

import httpx
import psycopg

from tests.api.conftest import AddMember, Served, client_of
from tests.conftest import NewPrincipal, Sandbox
from tools.context import Role

REFUSAL = {"error": {"message": "The aspect ratio is not supported.", "code": 36003, "error_subcode": 2207009}}


async def published(owner: httpx.AsyncClient, asset_id: str, caption: str) -> dict[str, object]:
    """A post that was told to go out now, when it has come to an end."""
    post = (await owner.post("/v1/posts", json={"caption": caption, "media": [{"asset_id": asset_id}]})).json()
    assert (await owner.post(f"/v1/posts/{post['id']}/publish", json={})).status_code == 200
    for _ in range(600):
        shown = (await owner.get(f"/v1/posts/{post['id']}")).json()
        assert isinstance(shown, dict)
        if shown["status"] not in {"scheduled", "publishing"}:
            return shown
        await asyncio.sleep(0.05)
    raise AssertionError(f"{shown['code']} did not come to an end")


def value(text: str, name: str, labels: str = "") -> float:
    (found,) = re.findall(rf"^{name}{re.escape(labels)} (\S+)$", text, re.MULTILINE)
    return float(found)


async def test_what_became_of_posts_is_told_and_counted(
    owner: httpx.AsyncClient,
    account_id: str,
    asset_id: str,
    sandbox: Sandbox,
    served: Served,
    admin_url: str,
    new_workspace: NewPrincipal,
    add_member: AddMember,
) -> None:
    assert account_id
    before = (await owner.get("/metrics")).text
    assert value(before, "studio_posts_failed_total", '{platform="instagram"}') == 0
    live = await published(owner, asset_id, "Our new espresso")
    fault = {"route": "instagram.media_publish", "kind": "status", "status": 400, "body": REFUSAL}
    sandbox.control("POST", "faults", fault)
    failed = await published(owner, asset_id, "Too wide")
    assert (live["status"], failed["status"]) == ("posted", "failed")

    listed = (await owner.get("/v1/notifications", params={"unread": "true"})).json()
    assert [(one["kind"], one["post_code"]) for one in listed["items"]] == [
        ("failed", failed["code"]),
        ("published", live["code"]),
    ]
    assert listed["items"][1]["link"] == live["permalink"]
    only = (await owner.get("/v1/notifications", params={"kind": "failed,missed"})).json()
    assert [one["kind"] for one in only["items"]] == ["failed"]
    marked = await owner.post("/v1/notifications/read", json={"notification_ids": [listed["items"][1]["id"]]})
    assert (marked.status_code, marked.json()["unread"]) == (200, 1)
    assert (await owner.get("/v1/notifications", params={"kind": "gossip"})).status_code == 422

    text = (await owner.get("/metrics")).text
    assert value(text, "studio_database_up") == 1
    assert value(text, "studio_posts_published_total", '{platform="instagram"}') == 1
    assert value(text, "studio_posts_failed_total", '{platform="instagram"}') == 1
    assert value(text, "studio_posts_missed_total", '{platform="tiktok"}') == 0
    assert value(text, "studio_posts_due") == value(text, "studio_posts_oldest_due_seconds") == 0
    assert value(text, "studio_posts_publishing") == value(text, "studio_posts_unconfirmed_waiting") == 0
    for secret in ("roastery", "Roastery", str(live["id"]), str(live["code"]), account_id):
        assert secret not in text

    stranger = await new_workspace("Bakery")
    _, key = await add_member(stranger.workspace_id, Role.OWNER)
    async with client_of(served.url, key) as theirs:
        assert (await theirs.get("/v1/notifications")).json()["items"] == []
    await waiting_is_measured(owner, admin_url, str(failed["id"]))


async def waiting_is_measured(owner: httpx.AsyncClient, admin_url: str, post_id: str) -> None:
    """Posts that wait for a person, and one whose time has come while nobody can claim it."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("update studio.posts set status = 'unconfirmed' where id = %s", (post_id,))
        assert value((await owner.get("/metrics")).text, "studio_posts_unconfirmed_waiting") == 1
        # Claims come to nothing from here on.
        connection.execute(
            "create function studio.refuse() returns trigger language plpgsql as $$ begin return null; end $$"
        )
        connection.execute(
            "create trigger refuse before update on studio.posts for each row when (new.lease_until > old.lease_until"
            " or (new.lease_until is not null and old.lease_until is null)) execute function studio.refuse()"
        )
        connection.execute(
            "update studio.posts set status = 'scheduled', next_attempt_at = studio.studio_now() - interval '90 s'"
            " where id = %s",
            (post_id,),
        )
        text = (await owner.get("/metrics")).text
    assert value(text, "studio_posts_due") == 1
    assert 90 <= value(text, "studio_posts_oldest_due_seconds") < 120


async def test_metrics_say_that_the_database_is_away(owner: httpx.AsyncClient, admin_url: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(admin_url)["dbname"]
    with psycopg.connect(admin_url.replace(str(name), "postgres"), autocommit=True) as connection:
        connection.execute(f'alter database "{name}" with allow_connections false')
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        answer = await owner.get("/metrics")
        connection.execute(f'alter database "{name}" with allow_connections true')
    assert answer.status_code == 200
    assert value(answer.text, "studio_database_up") == 0
    assert "studio_posts_due" not in answer.text
    assert "studio_build_info" in answer.text
