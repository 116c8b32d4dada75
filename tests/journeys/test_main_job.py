"""From a sentence to a live post, the way a person does it: over the API, the stream and the terminal."""

import io
import re
import signal
from datetime import UTC, datetime

import httpx
import pytest
from PIL import Image

from tests.journeys.conftest import Demo, events_of

CODE = re.compile(r"\b[CDFGHJKMNPQRTVWX34679]{5}\b")


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1080, 1080), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def upload(demo: Demo, name: str, colour: str) -> str:
    with demo.client() as client:
        answer = client.post("/v1/media", files={"file": (name, picture(colour), "image/jpeg")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def actions(answer: dict[str, object]) -> list[tuple[object, object]]:
    found = answer["actions"]
    assert isinstance(found, list)
    return [(action["command"], action["status"]) for action in found]


def test_one_conversation_over_ask(demo: Demo) -> None:
    asset = upload(demo, "blend.jpg", "saddlebrown")
    first = demo.ask(f"Draft an Instagram post about our new espresso blend\n[attached: asset {asset} blend.jpg]")
    assert first["status"] == "done"
    assert actions(first) == [("create_draft", "ok")]
    thread = str(first["thread_id"])

    planned = demo.ask("Schedule it for Friday at 9am", thread)
    assert actions(planned) == [("schedule_post", "ok")]
    assert re.search(r"Fri \d+ \w+ \d{4} 09:00 Europe/Madrid", str(planned["reply"]))
    moved = demo.ask("move it to Saturday 18:30", thread)
    assert re.search(r"Sat \d+ \w+ \d{4} 18:30 Europe/Madrid", str(moved["reply"]))
    assert actions(demo.ask("cancel it", thread)) == [("cancel_post", "ok")]
    undone = demo.ask("undo that", thread)
    assert actions(undone) == [("undo", "ok")]
    assert "18:30 Europe/Madrid" in str(undone["reply"])

    asked = demo.ask("Publish it now", thread)
    assert asked["status"] == "waiting"
    approval = asked["approval"]
    assert isinstance(approval, dict)
    assert not [item for item in demo.feed() if "espresso blend" in str(item["caption"])]
    with demo.client() as client:
        answer = client.post(f"/v1/runs/{asked['run_id']}/resume", json={"decision": "approve"})
        assert answer.status_code in {200, 202}, answer.text
    live = demo.wait_live("espresso blend")
    told = demo.ask("what happened to the espresso post?", thread)
    assert str(live["permalink"]) in str(told["reply"])


def test_the_other_questions(demo: Demo) -> None:
    assert "driftwood.coffee" in str(demo.ask("which accounts are connected?")["reply"])
    drafts = demo.ask("show me the drafts")
    assert "Tasting night" in str(drafts["reply"])
    week = demo.ask("What's scheduled this week?")
    assert actions(week) == [("list_posts", "ok")]


def test_a_photo_by_url_and_by_name(demo: Demo) -> None:
    photo = f"{demo.sandbox_url}/_media/1"
    by_url = demo.ask(f"Draft an Instagram post about our terrace with the photo {photo}")
    assert actions(by_url) == [("create_draft", "ok")], by_url
    by_name = demo.ask("Draft an Instagram post about our beans with the coffee bag photo")
    assert actions(by_name) == [("create_draft", "ok")], by_name


def test_the_same_over_a_stream(demo: Demo) -> None:
    asset = upload(demo, "stream.jpg", "peru")
    text = f"Draft an Instagram post about stream day\n[attached: asset {asset} stream.jpg]"
    with demo.client() as client:
        answer = client.post("/v1/ask", json={"text": text}, headers={"Accept": "text/event-stream"})
        events = events_of(answer.text)
        kinds = [event["type"] for event in events]
        assert kinds[0] == "RUN_STARTED"
        assert kinds[-1] == "RUN_FINISHED"
        assert {"TOOL_CALL_START", "TOOL_CALL_RESULT", "TEXT_MESSAGE_CONTENT"} <= set(kinds)
        thread = events[0]["threadId"]
        stream = client.post(f"/v1/threads/{thread}/runs", json={"text": "publish it now"}).text
        finished = events_of(stream)[-1]
        outcome = finished["outcome"]
        assert isinstance(outcome, dict)
        assert outcome["type"] == "interrupt"
        approval_id = outcome["interrupts"][0]["id"]
        decided = client.post(f"/v1/approvals/{approval_id}", json={"decision": "approve"})
        assert decided.status_code == 200, decided.text
        # The stream can be taken up again where it was left: nothing twice, nothing missing.
        run_id = events_of(stream)[0]["runId"]
        again = client.get(f"/v1/runs/{run_id}/events", headers={"Last-Event-ID": f"{run_id}:2"}).text
        ids = re.findall(r"^id: \S+:(\d+)", again, re.MULTILINE)
        assert [int(number) for number in ids] == list(range(3, 3 + len(ids)))
    demo.wait_live("stream day")


def test_the_same_in_a_terminal(demo: Demo) -> None:
    asset = upload(demo, "terminal.jpg", "sienna")
    drafted = demo.studio(
        "ask", "--new", f"Draft an Instagram post about terminal day\n[attached: asset {asset} t.jpg]"
    )
    assert drafted.returncode == 0, drafted.stderr
    assert CODE.search(drafted.stdout)
    asked = demo.studio("ask", "publish it now")
    assert asked.returncode == 3
    approval = re.search(r"--approve (\S+)", asked.stdout)
    assert approval
    approved = demo.studio("ask", "--approve", approval[1])
    assert approved.returncode == 0, approved.stdout
    demo.wait_live("terminal day")
    chat = demo.studio("chat", given="which accounts are connected?\n/quit\n")
    assert "driftwood.coffee" in chat.stdout


def test_a_due_post_is_sent_within_two_seconds_of_its_time(demo: Demo) -> None:
    asset = upload(demo, "due.jpg", "chocolate")
    with demo.client() as client:
        account = next(
            each["id"] for each in client.get("/v1/accounts").json()["items"] if each["platform"] == "instagram"
        )
        answer = client.post(
            "/v1/posts",
            json={
                "account_id": account,
                "caption": "On the dot",
                "media": [{"asset_id": asset}],
                "when": "in 3 seconds",
            },
        )
        assert answer.status_code == 201, answer.text
        due = datetime.fromisoformat(answer.json()["scheduled_for"])
        demo.wait_live("On the dot")
        calls = httpx.get(f"{demo.sandbox_url}/_sandbox/calls?route=instagram.create_container").json()["items"]
        sent = [call for call in calls if call["parameters"].get("caption") == "On the dot"]
        late = (datetime.fromisoformat(sent[0]["time"]).astimezone(UTC) - due).total_seconds()
        assert 0 <= late < 2, late
        post = client.get(f"/v1/posts/{answer.json()['id']}").json()
    assert post["status"] == "posted"
    assert post["permalink"] == demo.wait_live("On the dot")["permalink"]


@pytest.mark.parametrize("way", ["SIGTERM", "SIGKILL"])
def test_a_thread_and_the_feed_survive_a_restart(demo: Demo, way: str) -> None:
    asset = upload(demo, f"{way}.jpg", "tan" if way == "SIGTERM" else "wheat")
    first = demo.ask(f"Draft an Instagram post about restart {way}\n[attached: asset {asset} {way}.jpg]")
    live_before = demo.feed()
    status = demo.end(signal.Signals[way])
    assert status == (0 if way == "SIGTERM" else -9)
    took = demo.start()
    assert took < 20, f"a second start took {took:.1f} s"
    planned = demo.ask("schedule it for tomorrow at noon", str(first["thread_id"]))
    assert actions(planned) == [("schedule_post", "ok")]
    assert "12:00 Europe/Madrid" in str(planned["reply"])
    assert demo.feed() == live_before
