"""How Meta renews tokens: those of Facebook Login, Pages among them, and those of Instagram Login."""

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from core.jsontypes import JsonObject
from platforms.base import TokenGrant
from platforms.errors import ReconnectNeeded, TokenExpired, Transient
from platforms.graph import GRAPH_VERSION, Graph
from platforms.progress import count, text


async def exchange_facebook_token(graph: Graph, token: str, *, app_id: str, app_secret: str) -> TokenGrant:
    """A fresh token for one that is still valid; raises ``ReconnectNeeded`` where only a person can help.

    ``expires_at`` is by this machine's clock, None when Meta names no end (as for many tokens of Pages).
    """
    if not (app_id and app_secret):
        raise ReconnectNeeded(
            "Renewing a token of Facebook Login needs the Meta app's id and secret.",
            code="app_credentials_missing",
            action="Set STUDIO_META_APP_ID and STUDIO_META_APP_SECRET, or connect the account again.",
        )
    return await _granted(
        graph.exchange_token(
            f"{GRAPH_VERSION}/oauth/access_token",
            secrets=(token, app_secret),
            grant_type="fb_exchange_token",
            client_id=app_id,
            client_secret=app_secret,
            fb_exchange_token=token,
        )
    )


async def exchange_instagram_token(graph: Graph, token: str) -> TokenGrant:
    """A fresh token of Instagram Login for one that is still valid and at least 24 hours old; raises as above."""
    return await _granted(
        graph.exchange_token(
            "refresh_access_token", secrets=(token,), grant_type="ig_refresh_token", access_token=token
        )
    )


async def _granted(asked: Awaitable[JsonObject]) -> TokenGrant:
    try:
        answer = await asked
    except TokenExpired as expired:
        message = "The token has run out, and Meta renews no token past its end."
        raise ReconnectNeeded(message, platform_code=expired.platform_code) from expired
    fresh = text(answer, "access_token")
    if fresh is None:
        raise Transient("Meta answered without a new token.")
    seconds = count(answer, "expires_in")
    expires_at = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
    return TokenGrant(access_token=fresh, expires_at=expires_at)
