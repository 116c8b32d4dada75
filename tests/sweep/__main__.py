"""The whole sweep: python -m tests.sweep [NAME…]; NAME begins a case's name, such as facebook or tiktok-video.

Prints the table, and ends with 1 when a post was doubled, lost or left lying.
"""

import asyncio
import contextlib
import logging
import random
import signal
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


async def sweep(names: tuple[str, ...], judged: list[Verdict]) -> int:
    """Every trial of the named cases, troubles told as they come; how many trials there are."""
    cases = [case for case in CASES if case.name.startswith(names or ("",))]
    with tempfile.TemporaryDirectory(prefix="studio-sweep-") as folder:
        cluster = start(Path(folder))
        try:
            async with open_sweep(cluster, await make_template(cluster)) as opened:
                charts = await opened.charts(cases)
                trials = [Trial(case=case, disturbance=one) for case in cases for one in charts[case.name]]
                random.Random(1).shuffle(trials)  # whoever interrupts it has met some of each
                sys.stderr.write(f"{len(trials)} trials\n")
                await opened.run(trials, say=lambda verdict: _say(verdict, judged))
        finally:
            cluster.close()
    return len(trials)


def _say(verdict: Verdict, judged: list[Verdict]) -> None:
    judged.append(verdict)
    if verdict.trouble:
        sys.stderr.write(f"{verdict}\n")
    if len(judged) % 100 == 0:
        sys.stderr.write(f"{len(judged)} are through\n")


def main() -> int:
    """Answers the exit status. Whoever interrupts it (Ctrl-C) sees the table of what is through."""
    logging.disable()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what runs in the background ignore it
    began, judged, planned = time.monotonic(), list[Verdict](), None
    with contextlib.suppress(KeyboardInterrupt):
        planned = asyncio.run(sweep(tuple(sys.argv[1:]), judged))
    sys.stdout.write(f"{table(judged)}\n{len(judged)} trials in {time.monotonic() - began:.0f} s\n")
    is_whole = planned == len(judged)
    if not is_whole:
        sys.stdout.write("It was interrupted: that is not all.\n")
    return 0 if is_whole and not any(verdict.trouble for verdict in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
