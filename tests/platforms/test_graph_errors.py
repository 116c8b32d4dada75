"""Meta's codes sorted into our conditions: the table of the facts, row by row, for reads and for the publish itself."""

import json

import pytest

from core.jsontypes import JsonObject
from platforms.errors import (
    AccountBlocked,
    ContentRefused,
    MediaUnreachable,
    OutcomeUnknown,
    PlatformError,
    RateLimited,
    ReconnectNeeded,
    Refused,
    TokenExpired,
    Transient,
)
from platforms.graph import read_answer, read_id
from platforms.graph_errors import container_error, read_problem, regain_seconds, to_error
from platforms.http import Answer

# (code, subcode) -> what a repeatable call raises, what the publish raises
TABLE: list[tuple[int, int | None, type[PlatformError], type[PlatformError]]] = [
    (1, None, Transient, OutcomeUnknown),
    (2, None, Transient, OutcomeUnknown),
    (-1, 2207001, Transient, OutcomeUnknown),
    (-1, 2207032, Transient, OutcomeUnknown),
    (-1, 2207053, Transient, OutcomeUnknown),
    (-2, 2207003, Transient, OutcomeUnknown),
    (-2, 2207020, Transient, OutcomeUnknown),
    (24, 2207006, Transient, OutcomeUnknown),
    (24, 2207008, Transient, OutcomeUnknown),
    (9007, 2207027, Transient, OutcomeUnknown),
    (506, None, ContentRefused, OutcomeUnknown),
    (100, 33, Refused, OutcomeUnknown),
    (987_654, None, Refused, OutcomeUnknown),
    (4, None, RateLimited, RateLimited),
    (17, None, RateLimited, RateLimited),
    (32, None, RateLimited, RateLimited),
    (341, None, RateLimited, RateLimited),
    (613, None, RateLimited, RateLimited),
    (80001, None, RateLimited, RateLimited),
    (80002, None, RateLimited, RateLimited),
    (80004, None, RateLimited, RateLimited),
    (9, 2207042, RateLimited, RateLimited),
    (4, 2207051, AccountBlocked, AccountBlocked),
    (25, 2207050, AccountBlocked, AccountBlocked),
    (31, 3858385, AccountBlocked, AccountBlocked),
    (368, 1390008, AccountBlocked, AccountBlocked),
    (190, 463, TokenExpired, TokenExpired),
    (190, 458, ReconnectNeeded, ReconnectNeeded),
    (190, 459, ReconnectNeeded, ReconnectNeeded),
    (190, 460, ReconnectNeeded, ReconnectNeeded),
    (190, 464, ReconnectNeeded, ReconnectNeeded),
    (190, 467, ReconnectNeeded, ReconnectNeeded),
    (190, 492, ReconnectNeeded, ReconnectNeeded),
    (190, None, ReconnectNeeded, ReconnectNeeded),
    (102, None, ReconnectNeeded, ReconnectNeeded),
    (3, None, ReconnectNeeded, ReconnectNeeded),
    (10, None, ReconnectNeeded, ReconnectNeeded),
    (200, None, ReconnectNeeded, ReconnectNeeded),
    (299, None, ReconnectNeeded, ReconnectNeeded),
    (1, 2207057, ContentRefused, ContentRefused),
    (100, None, ContentRefused, ContentRefused),
    (100, 2207023, ContentRefused, ContentRefused),
    (100, 2207028, ContentRefused, ContentRefused),
    (100, 2207035, ContentRefused, ContentRefused),
    (100, 2207040, ContentRefused, ContentRefused),
    (352, 2207026, ContentRefused, ContentRefused),
    (36000, 2207004, ContentRefused, ContentRefused),
    (36001, 2207005, ContentRefused, ContentRefused),
    (36003, 2207009, ContentRefused, ContentRefused),
    (36004, 2207010, ContentRefused, ContentRefused),
    (1609005, None, ContentRefused, ContentRefused),
    (100, 1366046, ContentRefused, ContentRefused),
    (100, 1366051, ContentRefused, OutcomeUnknown),
    (324, None, MediaUnreachable, MediaUnreachable),
    (389, None, MediaUnreachable, MediaUnreachable),
    (9004, 2207052, MediaUnreachable, MediaUnreachable),
    (352, 2207077, MediaUnreachable, MediaUnreachable),
]


def answer(error: JsonObject, *, status: int = 400, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status=status, headers=headers or {}, body=json.dumps({"error": error}).encode())


def heard(got: Answer, *, repeatable: bool = True, secrets: tuple[str, ...] = ()) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        read_answer(got, secrets=secrets, repeatable=repeatable)
    return caught.value


@pytest.mark.parametrize(("code", "subcode", "expected", "on_publish"), TABLE)
@pytest.mark.parametrize("status", [400, 200])
def test_every_row(
    code: int, subcode: int | None, expected: type[PlatformError], on_publish: type[PlatformError], status: int
) -> None:
    error: JsonObject = {"message": "No.", "code": code, **({"error_subcode": subcode} if subcode else {})}
    for repeatable, wanted in ((True, expected), (False, on_publish)):
        raised = heard(answer(error, status=status), repeatable=repeatable)
        assert type(raised) is wanted
        assert raised.platform_code == (f"{code}/{subcode}" if subcode else str(code))


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("code", [1, 100, 190, 36003])
def test_a_server_error_says_nothing_certain_whatever_its_code(status: int, code: int) -> None:
    got = answer({"message": "Oops", "code": code}, status=status)
    assert type(heard(got)) is Transient
    assert type(heard(got, repeatable=False)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b"<html>gone</html>", Refused),
        (502, b"", Transient),
        (429, b"slow down", RateLimited),
        (302, b"", Refused),
        (200, b"[]", Transient),
        (200, b"\xff", Transient),
        (200, b'{"error": "a word"}', Refused),
    ],
)
def test_answers_without_an_envelope(status: int, body: bytes, expected: type[PlatformError]) -> None:
    got = Answer(status=status, headers={}, body=body)
    assert type(heard(got)) is expected
    on_publish = RateLimited if expected is RateLimited else OutcomeUnknown
    assert type(heard(got, repeatable=False)) is on_publish


def test_transient_by_metas_own_word() -> None:
    assert type(heard(answer({"message": "Later", "code": 987_654, "is_transient": True}))) is Transient


def test_a_limit_waits_as_long_as_the_headers_say() -> None:
    usage = [
        {"type": "pages", "call_count": 3, "estimated_time_to_regain_access": 0},
        {"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19},
    ]
    headers = {"X-Business-Use-Case-Usage": json.dumps({"17841": usage})}
    raised = heard(answer({"message": "Too many", "code": 80002}, status=429, headers=headers))
    assert raised.retry_after == 19 * 60.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "Fri, 27 Nov 2026 09:00:00 GMT"}, None),
        ({"X-Business-Use-Case-Usage": "no json"}, None),
        ({"X-Business-Use-Case-Usage": "[1]"}, None),
        ({"X-Business-Use-Case-Usage": '{"1": [3, {}]}'}, None),
    ],
)
def test_headers_that_say_little(headers: dict[str, str], seconds: float | None) -> None:
    assert regain_seconds(headers) == seconds


def test_the_words_are_metas_for_people_and_carry_no_token() -> None:
    error: JsonObject = {"message": "raw", "code": 190, "error_user_msg": "Malformed access token IGQVJtoken123 here"}
    raised = heard(answer(error), secrets=("IGQVJtoken123",))
    assert "Malformed access token" in raised.message
    assert "IGQVJtoken123" not in raised.message


def test_the_words_are_cut() -> None:
    assert len(heard(answer({"message": "x" * 10_000, "code": 1})).message) < 1_000


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Error: Media upload has failed with error code 2207026", ContentRefused),
        ("Error: Media upload has failed with error code 2207077", MediaUnreachable),
        ("Error: Media upload has failed with error code 2207053", Transient),
        ("Error: Media upload has failed with error code 2207999", Transient),
        ("None", Transient),
    ],
)
def test_a_dead_container_is_always_made_anew(said: str, expected: type[PlatformError]) -> None:
    raised = container_error(said)
    assert type(raised) is expected
    assert raised.start_over


def test_a_broken_container_is_replaced_only_where_nothing_is_in_doubt() -> None:
    problem = read_problem(400, {"message": "Gone", "code": 24, "error_subcode": 2207008})
    assert to_error(problem, repeatable=True).start_over
    assert not to_error(problem, repeatable=False).start_over


@pytest.mark.parametrize("body", [{}, {"id": 5}, {"id": ""}])
def test_an_answer_without_an_id_is_a_lost_answer(body: JsonObject) -> None:
    with pytest.raises(OutcomeUnknown):
        read_id(body, repeatable=False)
    with pytest.raises(Transient):
        read_id(body, repeatable=True)
