"""The reckoning after the storm: what the rows say against what the network shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.ground import Ground, Row, until

_ROWS = """
select p.caption, p.status, p.platform_post_id, p.scheduled_for, p.published_at, p.attempts,
  (select jsonb_agg(s order by a.number) from studio.publish_attempts a, jsonb_array_elements(a.steps) s
   where a.post_id = p.id) as steps
from studio.posts p where p.caption like 'Post %%' order by p.caption
"""


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """Captions by what became of their posts.

    ``lost``: not live although its row says so, or given up although nothing was wrong with it, or still on its way
    when time was up. ``misnamed``: live, but the row names another post or none. ``unconfirmed`` with evidence is an
    honest answer; ``unproven`` is one without.
    """

    posts: int
    posted: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    misnamed: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    unproven: tuple[str, ...]
    again: int  # posts that were sent in more than one attempt
    doubts: int  # posts that were looked for
    rows: Sequence[Row] = field(repr=False)

    @property
    def is_clean(self) -> bool:
        """Nothing doubled, nothing lost, and every row tells the truth."""
        return not (self.doubled or self.lost or self.misnamed or self.unproven)

    def complaints(self) -> list[str]:
        """Which posts it is not clean for, and the evidence for those that nobody can tell about."""
        names = ("doubled", "lost", "misnamed", "unproven")
        said = [f"{name}: {words}" for name in names for words in getattr(self, name)]
        return said + [f"unconfirmed: {row['caption']} {row['steps']}" for row in self.rows if _is_open(row)]

    def table(self) -> list[tuple[str, object]]:
        """For people."""
        counted = ("doubled", "lost", "misnamed", "unconfirmed", "unproven")
        return [
            ("posts", self.posts),
            ("posted", self.posted),
            *((name, len(getattr(self, name))) for name in counted),
            ("looked for", self.doubts),
            ("sent in a further attempt", self.again),
        ]


def reckon(ground: Ground) -> Reckoning:
    """Count, once no call is on its way any more."""
    until(lambda: all(call["finished"] for call in ground.items("calls")), 60, what="the network is quiet", pause=0.5)
    live: dict[str, list[str]] = defaultdict(list)
    for item in ground.items("feed"):
        live[str(item["caption"])].append(str(item["id"]))
    rows = ground.rows(_ROWS)
    unconfirmed = [row for row in rows if _is_open(row)]
    posted = [row for row in rows if row["status"] == "posted"]
    return Reckoning(
        posts=len(rows),
        posted=len(posted),
        doubled=tuple(words for words, ids in live.items() if len(ids) > 1),
        lost=tuple(
            str(row["caption"])
            for row in rows
            if row["status"] not in {"posted", "unconfirmed"}
            or (row["status"] == "posted" and row["caption"] not in live)
        ),
        misnamed=tuple(
            str(row["caption"])
            for row in posted
            if row["caption"] in live and row["platform_post_id"] not in live[str(row["caption"])]
        ),
        unconfirmed=_captions(unconfirmed),
        unproven=_captions([row for row in unconfirmed if not _looked(row)]),
        again=sum(int(str(row["attempts"])) > 1 for row in rows),
        doubts=sum(_looked(row) for row in rows),
        rows=rows,
    )


def _is_open(row: Row) -> bool:
    return row["status"] == "unconfirmed"


def _captions(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(str(row["caption"]) for row in rows)


def _looked(row: Row) -> bool:
    steps = row["steps"]
    assert steps is None or isinstance(steps, list)
    return any(str(step.get("event", "")).startswith("looked") for step in steps or ())


def lateness(ground: Ground, reckoning: Reckoning) -> list[tuple[str, object]]:
    """From the time a post was due to its first outward call (the sandbox's clock), and to "posted" (PostgreSQL's)."""
    first: dict[str, datetime] = {}
    for call in ground.items("calls?route=facebook.create_post"):
        parameters = call["parameters"]
        assert isinstance(parameters, Mapping)
        first.setdefault(str(parameters["message"]), datetime.fromisoformat(str(call["time"])))
    to_call, to_posted = [], []
    for row in reckoning.rows:
        due, done = row["scheduled_for"], row["published_at"]
        assert isinstance(due, datetime)
        if str(row["caption"]) in first:
            to_call.append((first[str(row["caption"])] - due).total_seconds())
        if isinstance(done, datetime):
            to_posted.append((done - due).total_seconds())
    return [("due -> first outward call", spread(to_call)), ("due -> posted", spread(to_posted))]


def spread(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and maximum."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, max {ordered[-1]:.2f} s"


def show(title: str, table: Sequence[tuple[str, object]]) -> str:
    """A table in a terminal."""
    width = max(len(name) for name, _ in table)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in table)])
