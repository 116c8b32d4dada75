"""Which posts a bulk command is about: named one by one, or described as in list_posts, at most 200 of them."""

from collections.abc import Collection, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AliasChoices, Field

from core.errors import InvalidInput, NotFound, TooLarge
from core.ids import parse_id
from db.models.post import Post, Status
from db.queries import posts
from db.queries.posts import PostFilter
from tools.command import Arguments
from tools.context import Context
from tools.posts.read import ListPosts, StatusName, filter_of
from tools.posts.references import resolve_post

MOST_POSTS = 200
# What is meant by "everything this week" where no state is named: what would still go out, or did not.
_PENDING = (Status.SCHEDULED, Status.FAILED, Status.MISSED)
_CRITERIA = ("window", "platform", "account_id", "status", "query")

Reference = Annotated[str, Field(min_length=1, max_length=300)]


class SelectPosts(Arguments):
    """The base of the arguments of bulk commands: posts by name, narrowed by what describes them."""

    post_ids: tuple[Reference, ...] | None = Field(
        None, max_length=MOST_POSTS, description="exactly these posts: ids, short codes or words, as in post_id"
    )
    window: str | None = Field(
        None, max_length=100, description="what is planned in this time, in the person's words: 'this week'"
    )
    platform: str | None = Field(None, max_length=50, description="only this network")
    account_id: str | None = Field(
        None,
        max_length=300,
        validation_alias=AliasChoices("account_id", "account"),
        description="only this account: id or @handle",
    )
    status: StatusName | None = Field(
        None, description="only posts in this state; without it what is scheduled, failed or missed"
    )
    query: str | None = Field(None, max_length=200, description="only posts with these words")

    @property
    def names_one(self) -> bool:
        """Whether this can be about one post at most, by its very words."""
        return self.post_ids is not None and len(set(self.post_ids)) == 1

    def pinned(self, found: Sequence[Post]) -> dict[str, object]:
        """The arguments that select exactly these posts, whatever happens meanwhile."""
        given = {name: None for name in _CRITERIA if getattr(self, name) is not None}
        return {**given, "post_ids": [str(post.id) for post in found]}


async def chosen(context: Context, arguments: SelectPosts, *, lock: bool) -> list[Post]:
    """The posts that are meant, by their time; locked until the transaction ends where that is asked for.

    Raises ``InvalidInput`` when nothing says which, ``NotFound`` when none fits, ``TooLarge`` past ``MOST_POSTS``.
    """
    described = [name for name in _CRITERIA if getattr(arguments, name) is not None]
    if not arguments.post_ids and not described:
        raise InvalidInput(
            "It was not said which posts are meant.",
            code="selection_missing",
            action="Name the posts, or say of which time, network, account, state or words.",
        )
    wanted = await _wanted(context, arguments)
    found = list(await posts.page(context.session, wanted, limit=MOST_POSTS + 1, after=None, by_time=True))
    if not found:
        said = ", ".join(f"{name} {getattr(arguments, name)!r}" for name in described)
        raise NotFound(
            f"No post fits {said or 'these names'}, so nothing was changed.",
            code="nothing_selected",
            action="Ask for the list of posts, then name them or say it more widely.",
        )
    if len(found) > MOST_POSTS:
        total = await posts.count(context.session, wanted)
        raise TooLarge(
            f"{total} posts fit; at most {MOST_POSTS} are changed at once.",
            code="too_many_posts",
            action="Narrow it, for example to a week or an account, and go on with the next.",
        )
    return await _held(context, found) if lock else found


async def _held(context: Context, found: Sequence[Post]) -> list[Post]:
    order = [post.id for post in found]
    held = {post.id: post for post in await posts.locked(context.session, order)}
    return [held[post_id] for post_id in order]


async def _wanted(context: Context, arguments: SelectPosts) -> PostFilter:
    described = {name: getattr(arguments, name) for name in _CRITERIA}
    narrowed = await filter_of(context, ListPosts.model_validate(described))
    ids = await _named(context, arguments.post_ids) if arguments.post_ids else None
    statuses: Collection[str] | None = narrowed.statuses
    if statuses is None and ids is None:
        statuses = [status.value for status in _PENDING]
    return PostFilter(**{**narrowed.__dict__, "statuses": statuses, "ids": ids})


async def _named(context: Context, references: Sequence[str]) -> Sequence[UUID]:
    """The ids that references mean; ids are looked up together, as there may be 200 of them."""
    parsed = {reference: parse_id(reference) for reference in references}
    known = await posts.by_ids(context.session, [post_id for post_id in parsed.values() if post_id is not None])
    existing = {post.id for post in known}
    found: dict[UUID, None] = {}
    for reference, post_id in parsed.items():
        if post_id is None or post_id not in existing:
            post_id = (await resolve_post(context, reference)).id  # noqa: PLW2901 - raises for an unknown id
        found[post_id] = None
    return list(found)
