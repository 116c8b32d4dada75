"""What acts for a Bluesky account: a session of two tokens, and the app password that opens a new one (pure).

The tokens are JWTs: the one to act with lives for two hours, the other renews both and lives for ninety days. Logins
are limited to 30 in five minutes and 300 a day for an account, so that none is made where a renewal will do.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.jsontypes import JsonObject
from platforms.base import TokenGrant
from platforms.errors import Transient
from platforms.progress import text

_APP_PASSWORD = re.compile(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}")


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a new token is asked with, kept sealed as one text: the refresh token, and the app password behind it.

    ``app_password`` is None for an account that was connected with tokens in hand.
    """

    refresh_token: str = field(repr=False)
    app_password: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, kept: str | None) -> "Keys | None":
        """The keys in a kept text; None when there is none. A token has no blanks in it."""
        token, _, password = (kept or "").partition(" ")
        return cls(refresh_token=token, app_password=password or None) if token else None

    def kept(self) -> str:
        """The text to keep."""
        return f"{self.refresh_token} {self.app_password}" if self.app_password else self.refresh_token


def is_app_password(given: str) -> bool:
    """Whether this has the shape of an app password: four groups of four, such as "abcd-efgh-ijkl-mnop"."""
    return _APP_PASSWORD.fullmatch(given.strip().lower()) is not None


def grant_of(session: JsonObject, *, app_password: str | None) -> TokenGrant:
    """The tokens of an opened or renewed session. Raises ``Transient`` when they are not in the answer."""
    access, refresh = text(session, "accessJwt"), text(session, "refreshJwt")
    if access is None or refresh is None:
        raise Transient("Bluesky answered without the tokens of a session.")
    keys = Keys(refresh_token=refresh, app_password=app_password)
    return TokenGrant(access_token=access, refresh_token=keys.kept(), expires_at=expiry_of(access))


def expiry_of(token: str) -> datetime | None:
    """When a token ends by its own word (the claim "exp"), aware UTC; None when it does not say."""
    try:
        body = token.split(".")[1]
        claims: object = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return None
    ends = claims.get("exp") if isinstance(claims, Mapping) else None
    return datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) and not isinstance(ends, bool) else None
