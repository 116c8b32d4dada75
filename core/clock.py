"""Now: the database's clock, so that all processes agree and tests can move it."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession


async def now(session: AsyncSession) -> datetime:
    """The time of the session's transaction (aware, UTC): ``studio_now()`` of the first migration."""
    moment = await session.scalar(select(func.studio_now()))
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def machine_zone() -> str:
    """The IANA name of this machine's zone; "UTC" when the machine does not say."""
    try:
        name = Path("/etc/timezone").read_text(encoding="ascii").strip()
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return "UTC"
    return name
