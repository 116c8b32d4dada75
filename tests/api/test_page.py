"""The chat page in a real browser: a sentence, a stream, an approval, an upload, a reload, a narrow screen."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, FilePayload, Page, async_playwright, expect
from pydantic import SecretStr

from tests.api.conftest import Serve, Served, jpeg
from tests.api.test_approvals import draft, eventually

CHROMIUM = Path(os.environ.get("STUDIO_TEST_CHROMIUM", "/usr/bin/chromium"))
WIDE = {"width": 1280, "height": 860}
NARROW = {"width": 390, "height": 844}


@pytest.fixture
async def browser(in_ci: bool) -> AsyncIterator[Browser]:  # noqa: FBT001 - a fixture
    """Chromium without a window."""
    if not CHROMIUM.exists():  # noqa: ASYNC240 - nothing else is waiting here
        assert not in_ci, f"there is no browser at {CHROMIUM}: apt-get install chromium"
        pytest.skip(f"there is no browser at {CHROMIUM}: apt-get install chromium")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield launched
        await launched.close()


@pytest.fixture
async def demo(serve: Serve, owner_key: str) -> AsyncIterator[Served]:
    """The application as the demo serves it, over the same listener as the clients of the other fixtures."""
    async with serve(demo=True, demo_key=SecretStr(owner_key)) as running:
        yield running


@pytest.fixture
async def served(demo: Served) -> Served:
    """What the clients speak to is the demo."""
    return demo


async def opened(browser: Browser, demo: Served, size: dict[str, int]) -> tuple[BrowserContext, Page, list[str]]:
    """The page in a fresh profile, and what its console complains about (the CSP's refusals among it)."""
    context = await browser.new_context(viewport=size)  # type: ignore[arg-type]
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(demo.url)
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    return context, page, complaints


async def say(page: Page, words: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.fill(words)
    await box.press("Enter")


async def idle(page: Page) -> None:
    """Nothing is being worked on."""
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=20_000)


async def test_a_sentence_is_answered_and_there_again_after_a_reload(
    browser: Browser, demo: Served, account_id: str
) -> None:
    context, page, complaints = await opened(browser, demo, WIDE)
    await say(page, "Which accounts are connected?")
    log = page.get_by_role("log")
    await expect(log.get_by_text("List accounts")).to_be_visible(timeout=20_000)
    await expect(log.get_by_text("roastery").last).to_be_visible()
    await idle(page)
    await expect(page.get_by_role("link", name="Feed")).to_be_visible()
    await page.reload()
    await expect(log.get_by_text("Which accounts are connected?")).to_be_visible()
    await expect(log.get_by_text("roastery").last).to_be_visible()
    await page.get_by_role("button", name="New").click()
    await expect(page.get_by_text("What should we post?", exact=True)).to_be_visible()
    assert complaints == []
    await context.close()


async def test_a_photo_is_attached_and_drafted_then_approved_by_keyboard(
    browser: Browser, demo: Served, owner: httpx.AsyncClient, account_id: str
) -> None:
    context, page, complaints = await opened(browser, demo, NARROW)
    photo = FilePayload(name="espresso.jpg", mimeType="image/jpeg", buffer=jpeg())
    await page.get_by_label("Choose files").set_input_files([photo])
    await expect(page.get_by_role("button", name="Remove espresso.jpg")).to_be_visible()
    await say(page, "Draft an Instagram post about our new espresso blend")
    log = page.get_by_role("log")
    await expect(log.get_by_text("Create draft")).to_be_visible(timeout=20_000)
    await idle(page)
    posts = (await owner.get("/v1/posts")).json()["items"]
    assert [post["media"][0]["name"] for post in posts] == ["espresso.jpg"]

    await say(page, "Publish it now")
    approve = page.get_by_role("button", name="Approve")
    await expect(approve).to_be_focused(timeout=20_000)
    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
    await page.reload()  # the question is still there, and answerable
    await expect(approve).to_be_visible(timeout=20_000)
    await approve.press("Enter")
    await expect(log.get_by_text("✓ Approved")).to_be_visible(timeout=20_000)
    await idle(page)
    await eventually(owner, f"/v1/posts/{posts[0]['id']}", "posted")
    await say(page, "What happened to the espresso post?")
    await expect(log.locator(".assistant").last).to_contain_text("is live on Instagram", timeout=20_000)
    await expect(log.locator(".assistant").last).to_be_in_viewport(ratio=1)  # the newest stays in sight
    assert complaints == []
    await context.close()


async def test_what_comes_from_outside_is_shown_as_text(
    browser: Browser, demo: Served, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    evil = '<img src=x onerror="document.title=\'owned\'"> <script>document.title="owned"</script>'
    await owner.post("/v1/posts", json={"account_id": account_id, "caption": evil, "media": [{"asset_id": asset_id}]})
    context, page, complaints = await opened(browser, demo, WIDE)
    await say(page, "Show me the drafts")
    await expect(page.get_by_text("<script>document.title").first).to_be_visible(timeout=20_000)
    await idle(page)
    assert await page.title() == "Studio"
    assert complaints == []
    await context.close()


async def test_a_rejected_post_stays_a_draft(
    browser: Browser, demo: Served, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    context, page, _ = await opened(browser, demo, WIDE)
    await say(page, f"Publish {post['code']} now")
    await page.get_by_role("button", name="Reject").click(timeout=20_000)
    await expect(page.get_by_text("✕ Rejected")).to_be_visible(timeout=20_000)
    await idle(page)
    assert (await owner.get(f"/v1/posts/{post['id']}")).json()["status"] == "draft"
    await context.close()


async def test_a_post_that_goes_out_is_followed_until_it_is_live_and_shown_again_after_a_reload(
    browser: Browser, demo: Served, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    context, page, complaints = await opened(browser, demo, WIDE)
    log = page.get_by_role("log")
    await say(page, f"Publish {post['code']} now")
    await expect(page.get_by_role("button", name="Approve")).to_be_focused(timeout=20_000)
    await idle(page)
    await say(page, "Yes!")  # as good as the button
    await expect(log.get_by_text("✓ Approved")).to_be_visible(timeout=20_000)
    await expect(log.get_by_text(f"{post['code']} · posted")).to_be_visible(timeout=20_000)
    await page.reload()
    await expect(log.get_by_text(f"{post['code']} · now posted")).to_be_visible(timeout=20_000)
    await say(page, f"cancel {post['code']}")
    refused = log.get_by_text("cannot be cancelled")
    await expect(refused.last).to_be_visible(timeout=20_000)
    await idle(page)
    assert await refused.count() == 1  # said by the assistant, and not by the card as well
    assert complaints == []
    await context.close()


async def test_a_question_that_is_left_can_no_longer_be_answered(
    browser: Browser, demo: Served, owner: httpx.AsyncClient, account_id: str, asset_id: str
) -> None:
    post = await draft(owner, account_id, asset_id)
    context, page, _ = await opened(browser, demo, WIDE)
    await say(page, f"Publish {post['code']} now")
    await expect(page.get_by_role("button", name="Approve")).to_be_focused(timeout=20_000)
    await idle(page)
    await say(page, "Which accounts are connected?")
    await expect(page.get_by_text("withdrawn")).to_be_visible()
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    await context.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_what_happened_is_counted_until_it_was_read(
    browser: Browser, demo: Served, owner: httpx.AsyncClient, account_id: str, asset_id: str, size: dict[str, int]
) -> None:
    path = f"/v1/posts/{(await draft(owner, account_id, asset_id))['id']}"
    assert (await owner.post(f"{path}/publish", json={})).status_code == 200
    await eventually(owner, path, "posted")
    context, page, complaints = await opened(browser, demo, size)
    button = page.get_by_role("button", name="News, 1 unread")
    await expect(button).to_be_visible()
    await button.click()
    panel = page.get_by_role("region", name="What happened")
    await expect(panel.get_by_text("is live on Instagram @roastery")).to_be_visible()
    await expect(page.get_by_role("button", name="News", exact=True)).to_be_visible()
    box = await panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    assert (await owner.get("/v1/notifications")).json()["unread"] == 0
    await say(page, "what happened since yesterday?")
    await expect(page.get_by_role("log").get_by_text("is live on Instagram").last).to_be_visible(timeout=20_000)
    await idle(page)
    await say(page, "is everything ready for next week?")
    await expect(page.get_by_role("log").get_by_text("Nothing is planned").last).to_be_visible(timeout=20_000)
    assert complaints == []
    await context.close()
