"""What is live, for people to look at: a page per account, a page per post, and the same as JSON."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET  # writes only, and escapes every text and attribute

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, Response

from sandbox.accounts import Account, list_accounts
from sandbox.bluesky import reading as bluesky
from sandbox.bluesky.repository import uri_of
from sandbox.facebook import reading as facebook
from sandbox.feed_style import STYLE
from sandbox.instagram import reading as instagram
from sandbox.posts import Post, list_comments, list_posts, read_asset, read_post
from sandbox.store import Store
from sandbox.tiktok import reading as tiktok
from sandbox.world import world_of

KINDS = {
    "IMAGE": "Photo",
    "CAROUSEL": "Carousel",
    "REELS": "Reel",
    "STORIES": "Story",
    "VIDEO": "Video",
    "PHOTO": "Photo",
    "TEXT": "Text",
    "LINK": "Link",
}
TITLES = {"tiktok": "TikTok"}
MARKS = {"views": "◉", "shares": "↗", "saves": "⚑"}

feed = APIRouter()


@feed.get("/")
async def everything(request: Request) -> Response:
    """Everything that is live, newest first."""
    store = world_of(request).store
    return _page(request, "Everything live", list_posts(store), chosen=None)


@feed.get("/feed/{account}")
async def one_account(request: Request, account: str) -> Response:
    """What is live on an account, by handle or external id."""
    store = world_of(request).store
    return _page(request, f"@{account.removeprefix('@')}", _posts_of(store, account), chosen=account)


@feed.get("/p/{code}")
@feed.get("/p/{code}/")
async def one_post(request: Request, code: str) -> Response:
    """A post by its shortcode: where permalinks lead."""
    media_id = instagram.media_id_of(code)
    post = read_post(world_of(request).store, media_id) if media_id else None
    if post is None:
        return _page(request, "This post is not here", [], chosen=None, status=404)
    return _page(request, "Post", [post], chosen=post.account)


@feed.get("/facebook/{post_id}")
async def one_facebook_post(request: Request, post_id: str) -> Response:
    """A Page's post: where Facebook's permalinks lead."""
    post = read_post(world_of(request).store, post_id)
    if post is None:
        return _page(request, "This post is not here", [], chosen=None, status=404)
    return _page(request, "Post", [post], chosen=post.account)


@feed.get("/@{handle}/video/{post_id}")
async def one_video(request: Request, handle: str, post_id: str) -> Response:
    """A post of TikTok's by its id: where its share_url leads."""
    store = world_of(request).store
    post = read_post(store, post_id)
    if post is None or _owner(store, post).handle != handle:
        return _page(request, "This post is not here", [], chosen=None, status=404)
    return _page(request, "Post", [post], chosen=post.account)


@feed.get("/profile/{handle}/post/{key}")
async def one_record(request: Request, handle: str, key: str) -> Response:
    """A post of Bluesky's by the key of its record: where its permalink leads."""
    store = world_of(request).store
    account = bluesky.resident(store, handle)
    post = read_post(store, uri_of(account.external_id, key)) if account else None
    if post is None:
        return _page(request, "This post is not here", [], chosen=None, status=404)
    return _page(request, "Post", [post], chosen=post.account)


@feed.get("/_media/{asset_id}")
async def medium(request: Request, asset_id: int) -> Response:
    """The bytes that the network fetched when the medium was handed in."""
    found = read_asset(world_of(request).store, asset_id)
    if found is None:
        raise HTTPException(404, "No such medium.")
    content_type, content = found
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, media_type=content_type, headers=headers)


@feed.get("/_sandbox/feed")
async def as_json(request: Request, account: str | None = None) -> dict[str, object]:
    """What is live as JSON, newest first; ``account`` is a handle or an external id."""
    store = world_of(request).store
    posts = list_posts(store) if account is None else _posts_of(store, account)
    return {"items": [_described(request, store, post) for post in posts]}


def _posts_of(store: Store, name: str) -> list[Post]:
    owners = {
        (account.platform, account.external_id)
        for account in list_accounts(store)
        if name.removeprefix("@") in (account.external_id, account.handle)
    }
    if not owners:
        raise HTTPException(404, f"No account {name} lives in this sandbox.")
    return [post for post in list_posts(store) if (post.platform, post.account) in owners]


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _permalink(base_url: str, store: Store, post: Post) -> str:
    if post.platform == "bluesky":
        return bluesky.permalink(base_url, _owner(store, post).handle, post.id)
    if post.platform == "tiktok":
        return tiktok.permalink(base_url, _owner(store, post).handle, post.id)
    if post.platform == "facebook":
        return facebook.permalink(base_url, post.id)
    return instagram.permalink(base_url, post)


def _owner(store: Store, post: Post) -> Account:
    owners = (a for a in list_accounts(store) if (a.platform, a.external_id) == (post.platform, post.account))
    unknown = Account(platform=post.platform, external_id=post.account, handle=post.account, name="", login="")
    return next(owners, unknown)


def _described(request: Request, store: Store, post: Post) -> dict[str, object]:
    base_url = _base_url(request)
    return {
        "id": post.id,
        "platform": post.platform,
        "account": post.account,
        "handle": _owner(store, post).handle,
        "kind": post.kind.lower(),
        "caption": post.caption,
        "published_at": datetime.fromtimestamp(post.published_at, UTC).isoformat(),
        "permalink": _permalink(base_url, store, post),
        "collaborators": post.details.get("collaborators", []),
        "cover_url": f"{base_url}/_media/{post.details['cover']}" if post.details.get("cover") else None,
        "like_count": post.like_count,
        "comments_count": post.comments_count,
        "thread": post.details.get("thread", []),
        "counts": post.counts,
        "media": [
            {
                "type": picture.content_type,
                "url": instagram.asset_url(base_url, picture),
                "alt_text": picture.alt_text,
            }
            for picture in post.pictures
        ],
        "comments": [
            {"id": comment.id, "author": comment.author, "message": comment.message, "parent_id": comment.parent_id}
            for comment in list_comments(store, post.id)
        ],
    }


def _tag(name: str, /, *children: "ET.Element | str", **attributes: str) -> ET.Element:
    """An element; ``class_`` and ``for_`` lose their underscore. Texts and attributes are escaped when written."""
    element = ET.Element(name, {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()})
    for child in children:
        if isinstance(child, ET.Element):
            element.append(child)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + child
        else:
            element.text = (element.text or "") + child
    return element


def _page(request: Request, title: str, posts: list[Post], *, chosen: str | None, status: int = 200) -> Response:
    store = world_of(request).store
    nothing = _tag("p", "Nothing is live here yet. What Studio publishes shows up by itself.", class_="empty")
    cards = [_card(request, store, post) for post in posts] or [nothing]
    header = _tag(
        "header",
        _tag("a", _tag("span", "", class_="logo"), "Studio sandbox", class_="brand", href="/"),
        _tag("p", "A pretend social network on this machine. Nothing here is seen by anybody else."),
        _chips(store, chosen),
    )
    plural = "post" if len(posts) == 1 else "posts"
    heading = _tag("h1", title, _tag("small", f"{len(posts)} {plural}"))
    head = _tag(
        "head",
        _tag("meta", charset="utf-8"),
        _tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _tag("title", f"{title} · Studio sandbox"),
        _tag("link", rel="icon", href="data:,"),
        _tag("style", STYLE),
    )
    body = _tag("body", header, _tag("main", heading, _tag("div", *cards, class_="grid")))
    html = ET.tostring(_tag("html", head, body, lang="en"), encoding="unicode", method="html")
    policy = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"
    return HTMLResponse(f"<!doctype html>\n{html}", status, {"content-security-policy": policy})


def _chips(store: Store, chosen: str | None) -> ET.Element:
    chips = [_tag("a", "All", href="/", class_="chip on" if chosen is None else "chip")]
    for account in list_accounts(store):
        on = chosen is not None and chosen.removeprefix("@") in (account.external_id, account.handle)
        chip = _tag("a", f"@{account.handle}", href=f"/feed/{account.external_id}", class_="chip on" if on else "chip")
        chip.set("title", f"{account.name} on {account.platform.capitalize()}")
        chips.append(chip)
    return _tag("nav", *chips)


def _card(request: Request, store: Store, post: Post) -> ET.Element:
    owner = _owner(store, post)
    moment = datetime.fromtimestamp(post.published_at, UTC)
    when = _tag("time", f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M} UTC", datetime=moment.isoformat())
    handle = _tag("a", f"@{owner.handle}", href=f"/feed/{owner.external_id}", class_="handle")
    who = _tag(
        "div",
        _tag("span", owner.handle[:1].upper() or "?", class_="face"),
        _tag("div", handle, when),
        _tag("span", TITLES.get(post.platform, post.platform.capitalize()), class_="badge"),
        class_="who",
    )
    link = _permalink(_base_url(request), store, post)
    counts = _tag(
        "p",
        _tag("span", f"♥ {post.like_count}", title="likes"),
        _tag("span", f"✎ {post.comments_count}", title="comments"),
        *(
            _tag("span", f"{mark} {post.counts[name]}", title=name)
            for name, mark in MARKS.items()
            if name in post.counts
        ),
        _tag("a", link.partition("://")[2].rstrip("/"), href=link),
        class_="counts",
    )
    words = [_tag("p", text, class_="caption") for text in (post.caption, *_further_texts(post))]
    parts = [who, _pictures(request, post), *words, *_linked(post), counts]
    comments = [
        _tag("li", _tag("b", f"@{comment.author} "), comment.message, class_="reply" if comment.parent_id else "")
        for comment in list_comments(store, post.id)
        if not comment.hidden
    ]
    return _tag("article", *parts, *([_tag("ul", *comments)] if comments else []), id=f"post-{post.id}")


def _further_texts(post: Post) -> list[str]:
    """The texts that carry a post on, where a network has threads."""
    thread = post.details.get("thread")
    return [str(text) for text in thread] if isinstance(thread, list) else []


def _linked(post: Post) -> list[ET.Element]:
    """The page a post leads to, if it does."""
    link = str(post.details.get("link", ""))
    return [_tag("p", _tag("a", link, href=link), class_="caption")] if link else []


def _pictures(request: Request, post: Post) -> ET.Element:
    base_url = _base_url(request)
    shown = []
    for picture in post.pictures:
        url = instagram.asset_url(base_url, picture)
        if picture.content_type.startswith("video/"):
            film = _tag("video", "", src=url, controls="", preload="metadata", playsinline="")
            if post.details.get("cover"):
                film.set("poster", f"{base_url}/_media/{post.details['cover']}")
            shown.append(film)
        else:
            shown.append(_tag("img", src=url, alt=picture.alt_text, loading="lazy"))
    strip = _tag("div", *shown, class_="pictures many" if len(shown) > 1 else "pictures")
    kind = KINDS.get(post.kind, post.kind.title())
    if len(shown) > 1:
        strip.set("tabindex", "0")  # so that the keyboard can scroll it
        kind = f"{kind} of {len(shown)}"
    return _tag("div", strip, _tag("span", kind, class_="kind"), class_="frame")
