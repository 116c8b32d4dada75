"""What people settle and take down, with a network that has the post: its own answers are used, and nothing doubles."""

import pytest

from core.errors import Conflict, Unavailable
from tests.conftest import Sandbox
from tests.tools.conftest import Desk
from tests.tools.publishing.conftest import Engine, Publication, Publish


async def in_doubt(engine: Engine, publication: Publication, sandbox: Sandbox, *, kind: str) -> None:
    """Publish so that the outcome stays unknown: the network cannot be asked, until its faults are removed."""
    sandbox.control("POST", "faults", {"route": "instagram.media_publish", "kind": kind})
    sandbox.control(
        "POST", "faults", {"route": "instagram.container_status", "kind": "expired_token", "skip": 1, "times": None}
    )
    await engine.until(publication.settled, patience=40)
    assert (await publication.post())["status"] == "unconfirmed"
    sandbox.control("DELETE", "faults")


async def test_the_network_tells_the_address_of_what_a_person_found(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    await in_doubt(engine, publication, sandbox, kind="drop_after")
    (live,) = publication.live()
    with pytest.raises(Conflict) as refused:
        await desk.act("resolve_post", post_id=publication.post_id, outcome="not_posted", then="send_again")
    assert refused.value.code == "post_is_live"
    assert str(live["permalink"]) in refused.value.message
    done = await desk.act("resolve_post", post_id=publication.post_id, outcome="posted")
    post = await publication.post()
    assert (post["status"], post["platform_post_id"], post["permalink"]) == ("posted", live["id"], live["permalink"])
    assert not done["warnings"]
    steps = (await publication.attempts())[-1]["steps"]
    assert isinstance(steps, list | tuple)
    assert (steps[-1]["event"], steps[-1]["looked"]) == ("a person settled it", "posted")


async def test_a_live_post_is_taken_down_and_a_crash_in_between_does_no_harm(
    desk: Desk, publish: Publish, engine: Engine, sandbox: Sandbox
) -> None:
    publication = await publish()
    await engine.until(publication.settled)
    (live,) = publication.live()
    sandbox.control("POST", "faults", {"route": "instagram.delete_media", "kind": "drop_after"})
    with pytest.raises(Unavailable, match="yet"):
        await desk.act("delete_post", post_id=publication.post_id)
    assert publication.live() == []  # it is gone there, and our row does not know yet
    assert (await publication.post())["status"] == "posted"
    await desk.act("delete_post", post_id=publication.post_id)
    post = await publication.post()
    assert (post["status"], post["platform_post_id"], post["permalink"]) == ("cancelled", live["id"], live["permalink"])
    assert post["deleted_at"] is not None
    steps = (await publication.attempts())[-1]["steps"]
    assert isinstance(steps, list | tuple)
    assert (steps[-1]["event"], steps[-1]["by"]) == ("taken down", desk.caller.principal.user_name)
