"""The whole sweep: python -m tests.sweep [NAME…]; NAME begins a case's name, such as facebook or tiktok-video.

Prints the table, and ends with 1 when a post was doubled, lost or left lying.
"""

import asyncio
import itertools
import logging
import sys
import tempfile
import time
from pathlib import Path

from db.embedded.cluster import start
from tests.conftest import make_template
from tests.sweep.plan import CASES
from tests.sweep.sweep import Trial, open_sweep
from tests.sweep.table import table
from tests.sweep.verdict import Verdict


async def sweep(names: tuple[str, ...]) -> list[Verdict]:
    """Every trial of the named cases; troubles are told as they come."""
    cases = [case for case in CASES if case.name.startswith(names or ("",))]
    with tempfile.TemporaryDirectory(prefix="studio-sweep-") as folder:
        cluster = start(Path(folder))
        try:
            async with open_sweep(cluster, await make_template(cluster)) as opened:
                charts = await opened.charts(cases)
                trials = [Trial(case=case, disturbance=one) for case in cases for one in charts[case.name]]
                sys.stderr.write(f"{len(trials)} trials\n")
                return await opened.run(trials, say=_say)
        finally:
            cluster.close()


_judged = itertools.count(1)


def _say(verdict: Verdict) -> None:
    number = next(_judged)
    if verdict.trouble:
        sys.stderr.write(f"{verdict}\n")
    if number % 100 == 0:
        sys.stderr.write(f"{number} are through\n")


def main() -> int:
    """Answers the exit status."""
    logging.disable()
    began = time.monotonic()
    verdicts = asyncio.run(sweep(tuple(sys.argv[1:])))
    sys.stdout.write(table(verdicts) + f"\n{time.monotonic() - began:.0f} s\n")
    return 1 if any(verdict.trouble for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
