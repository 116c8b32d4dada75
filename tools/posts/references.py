"""Which post is meant: an id, a short code, "it", "the last draft" or words from it, resolved here and nowhere else."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from core.errors import Ambiguous, Candidate, InvalidInput, NotFound
from core.ids import looks_like_code, parse_id
from core.when.resolve import find_phrases, window
from db.models.post import Post, Status
from db.queries import focus, posts
from db.queries.posts import PostFilter
from tools.context import Context
from tools.posts.authors import note_others_words
from tools.posts.view import excerpt

_PRONOUNS = frozenset(
    {"it", "this", "that", "this one", "that one", "the post", "this post", "that post", "the same", ""}
)
_LAST = re.compile(
    r"(?:the |my |our )?(?:last|latest|newest|most recent|previous) "
    r"(?:(?P<status>draft|scheduled|posted|published|failed|cancelled|missed|unconfirmed) ?)?(?:post|one)?"
)
_WEEKDAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b")
_STATUS_WORDS = {"published": Status.POSTED}
_NOISE = frozenset(
    "the a an my our your this that about on for of with and or to from in at post posts draft drafts one ones"
    " instagram facebook tiktok reel carousel image photo picture video scheduled please new latest last".split()
)
_CANDIDATES = 5
# Words alone never point at a post that is over, while one that is alive matches too.
_ALIVE = (Status.DRAFT, Status.SCHEDULED, Status.PUBLISHING, Status.FAILED, Status.MISSED, Status.UNCONFIRMED)


async def resolve_post(context: Context, reference: str, *, lock: bool = False) -> Post:
    """The post a reference means. Raises ``NotFound``, or ``Ambiguous`` with the candidates."""
    found = await _find(context, reference.strip())
    if not lock:
        return found
    locked = await posts.get(context.session, found.id, lock=True)
    assert locked is not None
    return locked


async def _find(context: Context, reference: str) -> Post:
    session = context.session
    if (post_id := parse_id(reference)) is not None:
        return _known(await posts.get(session, post_id), reference)
    if looks_like_code(reference) and (post := await posts.by_code(session, reference.lstrip("#"))):
        return post
    words = " ".join(reference.lower().strip(" .!?\"'").split())
    if words in _PRONOUNS:
        return await _spoken_of(context)
    if (match := _LAST.fullmatch(words)) is not None:
        named = match["status"]
        statuses = [_STATUS_WORDS.get(named) or Status(named)] if named else None
        return _known(await posts.newest(session, statuses=statuses), reference)
    return await _by_words(context, words)


def _known(post: Post | None, reference: str) -> Post:
    if post is None:
        raise NotFound(
            f"There is no post {reference!r} here.",
            code="post_not_found",
            action="Ask for the list of posts and use one of its codes.",
        )
    return post


async def _spoken_of(context: Context) -> Post:
    """The post this conversation spoke of last; outside a conversation, the caller's newest one."""
    if context.caller.thread_id is not None:
        for post_id in await focus.get(context.session, context.caller.thread_id):
            if (post := await posts.get(context.session, UUID(post_id))) is not None:
                return post
    newest = await posts.newest(context.session, user_id=context.principal.user_id)
    if newest is None:
        raise NotFound(
            "I don't know which post you mean: there is none yet.",
            code="post_not_found",
            action="Draft one first, or name one by its code.",
        )
    return newest


async def _by_words(context: Context, words: str) -> Post:
    for start, end, rest in _readings(context, words):
        meaningful = [word for word in re.findall(r"[\w#@'-]+", rest) if word not in _NOISE]
        if not meaningful and start is None:
            meaningful = words.split()
        for statuses in (_ALIVE, None):
            wanted = PostFilter(words=meaningful, statuses=statuses, start=start, end=end)
            found = await posts.page(context.session, wanted, limit=_CANDIDATES + 1, after=None, by_time=False)
            if len(found) == 1:
                return found[0]
            if found:
                await note_others_words(context, found, {})
                raise _which(words, found)
    return _known(None, words)


Reading = tuple[datetime | None, datetime | None, str]


def _readings(context: Context, words: str) -> Iterator[Reading]:
    """The days that a reference speaks of and the words that are left, the likeliest reading first."""
    first = _time_in(context, words)
    yield first
    # A weekday alone is more often a word ("Black Friday"), so it is read as a day only when no post has the word.
    if first[0] is None and (day := _WEEKDAY.search(words)) is not None:
        start, end = window(day[0], now=context.now, zone=context.caller.zone)
        yield start, end, words[: day.start()] + words[day.end() :]


def _time_in(context: Context, words: str) -> Reading:
    """The days that "the post on Friday" speaks of, and the words that are left."""
    for span in find_phrases(words):
        try:
            start, end = window(span.phrase, now=context.now, zone=context.caller.zone)
        except InvalidInput:
            continue
        return start, end, words[: span.start] + words[span.end :]
    return None, None, words


def _which(words: str, found: Sequence[Post]) -> Ambiguous:
    shown = found[:_CANDIDATES]
    listed = "; ".join(f"{post.code} {excerpt(post, length=36)} ({post.status})" for post in shown)
    more = " and more" if len(found) > _CANDIDATES else ""
    return Ambiguous(
        f"More than one post matches {words!r}: {listed}{more}. Which one?",
        code="post_ambiguous",
        action="Answer with one of the codes.",
        candidates=tuple(
            Candidate(id=str(post.id), label=f"{post.code} {excerpt(post)} ({post.status})") for post in shown
        ),
    )


async def speak_of(context: Context, *spoken: Post) -> None:
    """Remember, in this conversation, that these posts were spoken of: the first is what "it" means next."""
    if context.caller.thread_id is not None:
        await focus.put(context.session, context.caller.thread_id, [str(post.id) for post in spoken])
