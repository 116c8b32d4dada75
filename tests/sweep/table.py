"""The sweep's table: a line per network and format, a column per kind of disturbance and per ending."""

from collections import Counter
from collections.abc import Sequence

from tests.sweep.verdict import Verdict

GROUPS = ("killed", "no answer", "timeout", "5xx", "4xx", "429", "token", "media", "slow", "down")
ENDINGS = ("posted", "scheduled", "failed", "unconfirmed")
TROUBLES = ("doubled", "lost", "stuck", "wrong")


def table(verdicts: Sequence[Verdict]) -> str:
    """Counts; "retried" are those that went back to the calendar on their way to the end."""
    names = list(dict.fromkeys(verdict.case for verdict in verdicts))
    rows = [_row(name, [verdict for verdict in verdicts if verdict.case == name]) for name in names]
    rows.append(_row("all", verdicts))
    titles = ["", "cases", *GROUPS, *ENDINGS, "retried", *TROUBLES]
    widths = [max(len(row[at]) for row in [titles, *rows]) for at in range(len(titles))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [titles, *rows]
    )


def _row(name: str, verdicts: Sequence[Verdict]) -> list[str]:
    groups = Counter(verdict.disturbance.group for verdict in verdicts)
    endings = Counter(verdict.status for verdict in verdicts)
    counts = [
        len(verdicts),
        *(groups[group] for group in GROUPS),
        *(endings[ending] for ending in ENDINGS),
        sum(verdict.was_scheduled for verdict in verdicts),
        *(sum(bool(getattr(verdict, trouble)) for verdict in verdicts) for trouble in TROUBLES),
    ]
    return [name, *map(str, counts)]
