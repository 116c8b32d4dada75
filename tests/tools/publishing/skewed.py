"""The worker of ``victim``, in a process whose clock is wrong by as many seconds as its first argument says."""

import datetime as dt
import runpy
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Self

right_time = time.time
SKEW = float(sys.argv.pop(1))


class AnyDatetime(type):
    """Every datetime counts as one of these: drivers make them of their own."""

    def __instancecheck__(cls, instance: object) -> bool:
        """Whether it is a datetime at all."""
        return isinstance(instance, datetime)


class WrongDatetime(datetime, metaclass=AnyDatetime):
    """Now is another time; everything else is as it was."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """The wrong time."""
        return cls.fromtimestamp(right_time() + SKEW, tz)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    time.time = lambda: right_time() + SKEW
    dt.datetime = WrongDatetime  # type: ignore[misc]
    runpy.run_module("tests.tools.publishing.victim", run_name="__main__")
