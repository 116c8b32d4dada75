"""What stands in the way of planned posts, and the week of an account in which it is looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from core.settings import Settings
from db.models.account import Account
from db.models.post import Post
from db.queries.posts import PostMedia
from platforms.base import Adapter, Content
from tools.posts.content import content_of

# An error keeps a post from going out as it is; a warning is worth a look.
Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Fix:
    """The command that mends it, with the arguments that are known; what is missing a person says."""

    command: str
    arguments: dict[str, object]

    def stored(self) -> dict[str, object]:
        """As JSON."""
        return {"command": self.command, "arguments": self.arguments}


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing in the way. ``post`` is None where it is the account's, in the way of all ``affected`` posts."""

    level: Level
    code: str
    message: str
    action: str
    account: Account
    post: Post | None
    affected: tuple[Post, ...]
    due: datetime  # when the first of them wants to go out
    fix: Fix | None = None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A post with its media and the time it is wanted for; ``scheduled`` False: a draft that a plan wants then."""

    post: Post
    media: PostMedia
    due: datetime
    scheduled: bool = True

    @cached_property
    def content(self) -> Content:
        """What would go out, as adapters take it."""
        return content_of(self.post, self.media)


@dataclass(frozen=True, kw_only=True)
class AccountWeek:
    """Everything that is needed to say whether an account's posts will go out, read already.

    ``planned`` is by time, with neighbours outside of ``start`` to ``end`` (half-open) that count against what is
    inside. ``sent`` is when posts went live lately; ``missing`` the hashes of media that the store has not (any more).
    ``renewable``: there is a token to renew the other with. ``adapter`` is None for a network not served here.
    """

    account: Account
    renewable: bool
    adapter: Adapter | None
    planned: Sequence[Planned]
    sent: Sequence[datetime]
    missing: frozenset[str]
    settings: Settings
    start: datetime
    end: datetime

    def inside(self) -> list[Planned]:
        """What is planned in the stretch itself, on the calendar already."""
        return [each for each in self.planned if each.scheduled and self.start <= each.due < self.end]
