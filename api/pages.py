"""The pages: the chat at /, the routes at /docs, and the frame of the small ones around signing in."""

import base64
import hashlib
import html
import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@cache
def read_page(name: str) -> str:
    """A page that lies beside this module."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def page_policy(page: str = "", *, uploads: bool = False) -> str:
    """The Content-Security-Policy of a page: exactly its own script and style, by hash, and nothing of elsewhere."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(page or small_page("", "")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    nothing = "'none'"
    rules = [
        f"default-src {nothing}",
        "script-src " + (" ".join(hashes["script"]) or nothing),
        "style-src " + (" ".join(hashes["style"]) or nothing),
        f"img-src 'self' data:{' blob:' if uploads else ''}",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    return "; ".join(rules)


def small_page(title: str, body: str) -> str:
    """A page of a few lines; ``body`` is HTML of our own, with everything foreign escaped already."""
    return read_page("small.html").replace("{{title}}", html.escape(title)).replace("{{body}}", body)
