"""Checking what is planned as due work: each account daily, and again when something of it changes."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.errors import StudioError
from core.ids import new_id
from db.models.account import Account
from db.queries import accounts, checks, notifications
from db.queries.checks import Checked
from scheduler.due import Claim
from tools.context import Doors
from tools.networks import is_on_this_machine
from tools.preflight.asking import Links, ask_network
from tools.preflight.check import AHEAD
from tools.preflight.obstacle import AccountWeek, Obstacle
from tools.preflight.week import missing_media, obstacles, read_weeks

log = logging.getLogger("studio.preflight")

# A claim that dies is due again after this; longer than any check takes.
_LEASE = timedelta(minutes=5)
_DAILY = timedelta(days=1)
# A link of ours that did not work may have been a server that was just starting.
_SOON = timedelta(minutes=15)
# A network is asked about an account once a day at most: a daily check that comes a little early asks too.
_ASKED_LATELY = timedelta(hours=20)
_KEPT = timedelta(days=90)
_MOST_FORGOTTEN = 5_000


class CheckWork:
    """Accounts whose planned posts are to be checked, as ``scheduler.due.DueWork``."""

    topic = "checks"
    capacity = 4

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._setup = setup_of(doors)
        self._has_told_setup = False
        self._links = Links(doors)

    async def claim(self, limit: int, *, sweep: bool) -> Sequence[Claim]:  # noqa: ARG002 - there is no lower bound
        """Claim accounts whose time has come, or of which something changed.

        When a process begins, also those that were checked under other settings, until none of them is left.
        """
        setup = None if self._has_told_setup else self._setup
        async with self._doors.database.outside() as session:
            rows = await checks.claim(session, batch=limit, lease=_LEASE, setup=setup)
        if setup is not None and len(rows) < limit:
            self._has_told_setup = True
        return [Claim(id=row.id, workspace_id=row.workspace_id, fence=row.fence) for row in rows]

    async def work(self, claim: Claim) -> None:
        """Check one account; trouble of ours is logged, and the account is taken up again when its lease ends."""
        try:
            await self._check(claim)
        except (StudioError, OSError) as error:
            log.warning("account %s: its planned posts could not be checked: %s", claim.id, error)
        except Exception:
            log.exception("account %s: unforeseen error while checking its planned posts", claim.id)

    async def _check(self, claim: Claim) -> None:
        async with self._doors.database.session(claim.workspace_id) as session:
            if not await checks.take_requests(session, claim.id, fence=claim.fence):
                return
            now = await clock.now(session)
            found = await checks.accounts(session, account_id=claim.id)
            account = await accounts.get(session, claim.id, with_tokens=True)
            assert account is not None
            (week,) = await read_weeks(self._doors, session, found, now, now + AHEAD)
        week = replace(week, missing=await missing_media(self._doors.store, [week]))
        learned, asked = await self._ask(account, week, now)
        account.check_found = learned
        next_in = _SOON if "public_link" in learned else _DAILY
        await self._tell(claim, week, Checked(setup=self._setup, found=learned, asked=asked, next_in=next_in))

    async def _ask(self, account: Account, week: AccountWeek, now: datetime) -> tuple[dict[str, object], bool]:
        """What the world says, where posts wait for it; and whether the network was asked now."""
        if week.adapter is None or account.status != "connected" or not week.inside():
            return {}, False
        is_time = account.asked_at is None or now - account.asked_at >= _ASKED_LATELY
        known = {name: (account.check_found or {}).get(name) for name in ("network", "renewal")}
        said = await ask_network(self._doors, account, week.adapter, now) if is_time else known
        learned = {**said, "public_link": await self._links.trouble(week)}
        return {name: value for name, value in learned.items() if value is not None}, is_time

    async def _tell(self, claim: Claim, week: AccountWeek, checked: Checked) -> None:
        """Write down what was found: one row for each new problem, and an end to those that are gone."""
        found = {(one.post.id if one.post else None, one.code): one for one in obstacles(week) if one.level == "error"}
        async with self._doors.database.session(claim.workspace_id) as session:
            if not await checks.finish(session, claim.id, fence=claim.fence, checked=checked):
                log.info("account %s is no longer ours; what was found is left to whoever has it", claim.id)
                return
            told = {(each.post_id, each.code): each.id for each in await notifications.open_problems(session, claim.id)}
            await notifications.resolve(session, [told[key] for key in told.keys() - found.keys()])
            new = [_row(claim.workspace_id, one) for key, one in found.items() if key not in told]
            await notifications.add_problems(session, new)
            await notifications.forget(session, claim.id, older_than=_KEPT, most=_MOST_FORGOTTEN)


def _row(workspace_id: UUID, one: Obstacle) -> dict[str, object]:
    return {
        "id": new_id(),
        "workspace_id": workspace_id,
        "kind": "preflight",
        "account_id": one.account.id,
        "platform": one.account.platform,
        "post_id": one.post.id if one.post else None,
        "code": one.code,
        "message": one.message,
        "action": one.action,
        "fix": one.fix.stored() if one.fix else None,
    }


def setup_of(doors: Doors) -> str:
    """What of the installation a check depends on, as a short hash: its address, its networks and their rules."""
    networks = {
        name: [
            adapter.manifest.api.name if adapter.manifest.api else None,
            str(adapter.manifest.api.works_until) if adapter.manifest.api else None,
            adapter.manifest.daily_limit,
            sorted(scope.name for scope in adapter.manifest.scopes),
            is_on_this_machine(doors.settings, name),
        ]
        for name, adapter in sorted(doors.adapters.items())
    }
    whole = json.dumps([doors.settings.public_base, doors.settings.approvals, networks], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
