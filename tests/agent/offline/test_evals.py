"""The offline model on the eval sets: the same score that `python -m evals.run` prints."""

from datetime import datetime, timedelta

import pytest

from core.errors import InvalidInput
from core.when.resolve import is_slot, resolve, window
from evals.cases import SETS, load
from evals.run import THRESHOLD, report, score
from tools.commands import catalog
from tools.dispatcher import parse


@pytest.mark.parametrize("name", SETS)
def test_the_offline_model_understands_the_main_job(name: str) -> None:
    scored = score(load(name))
    assert scored.wrong_acts == 0, report(name, scored)
    assert scored.penalised >= THRESHOLD, report(name, scored)


def test_the_sets_are_large_enough_and_every_case_has_its_own_name() -> None:
    cases = [case for name in SETS for case in load(name)]
    assert len(cases) >= 500
    assert len({case.id for case in cases}) == len(cases)


def test_a_wrong_act_counts_ten_times() -> None:
    cases = load("held_out")[:10]
    silent = score(cases)
    spoiled = tuple(type(one)(**{**vars(one), "is_right": False, "is_wrong_act": True}) for one in silent.played[:1])
    scored = type(silent)(played=(*spoiled, *silent.played[1:]))
    assert scored.accuracy == pytest.approx(0.9)
    assert scored.penalised == pytest.approx(-0.1)  # (9 - 10) / 10


def test_every_expected_call_is_one_that_the_door_accepts() -> None:
    commands = catalog()
    served = {command.name for command in commands.commands}
    calls = [call for name in SETS for case in load(name) for call in case.calls if call[0] in served]
    assert len(calls) > 100
    for command, arguments in calls:
        parse(commands.find(command), dict(arguments))


def test_every_expected_time_is_one_that_the_server_understands() -> None:
    for case in (case for name in SETS for case in load(name)):
        now = datetime.fromisoformat(case.now)
        for _, arguments in case.calls:
            for phrase in (str(arguments[name]) for name in ("window", "since") if name in arguments):
                assert window(phrase, now=now, zone=case.zone)
            phrase = str(arguments.get("when", "first free slot"))
            if not is_slot(phrase):
                assert _trouble(phrase, now, case.zone) not in {"when_unknown", "when_zone"}, (case.id, phrase)


def _trouble(phrase: str, now: datetime, zone: str) -> str | None:
    try:
        resolve(phrase, now=now, zone=zone, anchor=now + timedelta(days=2))
    except InvalidInput as refusal:
        return refusal.code
    return None
