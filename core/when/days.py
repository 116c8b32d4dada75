"""Which days of the calendar a said day can mean, seen from today and from the day a post has."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from typing import assert_never

from core.errors import InvalidInput
from core.when.dates import CalendarDay, CalendarDays, DatePart, Day, Edge, Later, Period, Unsure, Weekday
from core.when.lexicon import MONTH_NAMES, WEEKDAY_NAMES
from core.when.month_days import LAST, NthWeekday

Days = tuple[date, ...]

_SATURDAY, _SUNDAY, _FRIDAY = 5, 6, 4
_MONTHS_TRIED = 5  # a "31st" comes at most two months apart, and three months ahead is the limit
_YEARS_TRIED = 9  # 29 February comes at most eight years apart


def possible_days(  # noqa: PLR0911 - one for each kind of day
    part: DatePart, *, today: date, anchor: date | None
) -> tuple[Days, ...]:
    """The meanings of a day: each is a chain whose first day that is not past counts; several are to be asked about.

    ``anchor`` is the day the post has, None when it has none. Raises InvalidInput (when_incomplete, when_unknown).
    """
    match part:
        case Day():
            return ((_base_day(part, today, anchor) + timedelta(days=part.days),),)
        case Weekday():
            return (weekday_days(part, today, anchor),)
        case CalendarDays():
            return _calendar_meanings(part.options, today)
        case Edge():
            return edge_days(part, today)
        case Period():
            return _days_of_period(part, today, anchor)
        case Later():
            meanings = possible_days(part.day, today=today, anchor=anchor)
            return tuple((meaning[0] + timedelta(days=part.days),) for meaning in meanings)
        case NthWeekday():
            return ((_counted_weekday(part, today),),)
        case Unsure():
            return tuple(
                meaning for option in part.options for meaning in possible_days(option, today=today, anchor=anchor)
            )
        case _:
            assert_never(part)


def agreeing_days(weekday: Weekday, days: CalendarDays, *, today: date) -> tuple[Days, ...]:
    """The meanings of "Friday 27 November": the days that are both; when none is, each of the two as a meaning."""
    meanings = possible_days(days, today=today, anchor=None)
    agreeing = tuple(
        chain for meaning in meanings if (chain := tuple(day for day in meaning if day.weekday() == weekday.day))
    )
    return agreeing or (*meanings, weekday_days(weekday, today))


def monday_of(day: date) -> date:
    """The Monday that begins a day's week."""
    return day - timedelta(days=day.weekday())


def month_ahead(day: date, months: int) -> date:
    """The same day so many months later (earlier when negative), or the last day of that month if it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def weekday_days(part: Weekday, today: date, anchor: date | None = None) -> Days:
    """The days a weekday means: "next" is next week's, whatever today is; "this" is this week's while it is ahead.

    Of a post that has a day ahead, "Saturday" is the Saturday nearest to it: whoever moves Friday's post to Saturday
    means the day after. Else it is the coming one.
    """
    coming = today + timedelta(days=(part.day - today.weekday()) % 7)
    match part.week:
        case "coming" if anchor is not None and (near := _nearest(part.day, anchor)) >= today:
            return (near, near + timedelta(days=7))
        case "coming":
            return (coming,) if coming > today else (today, today + timedelta(days=7))
        case "this":
            this = monday_of(today) + timedelta(days=part.day)
            return (this, this + timedelta(days=7))
        case "next":
            return (monday_of(today) + timedelta(days=7 + part.day),)
        case "following":
            return (_following(part.day, today, anchor),)
        case "last":
            return (today - timedelta(days=(today.weekday() - part.day - 1) % 7 + 1),)
        case _:
            assert_never(part.week)


def _following(weekday: int, today: date, anchor: date | None) -> date:
    """The first day of a week's name after the post's day; without a post that of next week."""
    if anchor is None:
        return monday_of(today) + timedelta(days=7 + weekday)
    return anchor + timedelta(days=(weekday - anchor.weekday() - 1) % 7 + 1)


def _nearest(weekday: int, anchor: date) -> date:
    """The day of a week's name closest to another day: at most three days before or after it."""
    return anchor + timedelta(days=(weekday - anchor.weekday() + 3) % 7 - 3)


def edge_days(part: Edge, today: date) -> tuple[Days, ...]:
    """The first or last day of a week or month; the end of a week is Friday to some and Sunday to others."""
    if part.unit == "week":
        monday = monday_of(today) + timedelta(weeks=part.ahead)
        if part.edge == "start":
            return ((monday,),)
        return ((monday + timedelta(days=_FRIDAY),), (monday + timedelta(days=_SUNDAY),))
    first = month_ahead(today.replace(day=1), part.ahead)
    if part.month is not None:
        years = (today.year, today.year + 1)
        return (tuple(_edge_of_month(date(year, part.month, 1), part.edge) for year in years),)
    return ((_edge_of_month(first, part.edge),),)


def _edge_of_month(first: date, edge: str) -> date:
    return first if edge == "start" else month_ahead(first, 1) - timedelta(days=1)


def _counted_weekday(part: NthWeekday, today: date) -> date:
    """The weekday of that number in its month; a named month is the next that has not ended."""
    first = month_ahead(today.replace(day=1), part.ahead)
    if part.month is not None:
        first = month_ahead(first, (part.month - today.month) % 12)
    day = _nth_weekday(first, part)
    if day is None:
        month, name = MONTH_NAMES[first.month - 1], WEEKDAY_NAMES[part.day]
        raise InvalidInput(
            f"{month} {first.year} has no {part.count}th {name}: say a day that exists.", code="when_unknown"
        )
    return day


def _nth_weekday(first: date, part: NthWeekday) -> date | None:
    if part.count == LAST:
        last = month_ahead(first, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - part.day) % 7)
    day = first + timedelta(days=(part.day - first.weekday()) % 7, weeks=part.count - 1)
    return day if day.month == first.month else None


def _base_day(part: Day, today: date, anchor: date | None) -> date:
    if part.base == "today":
        return today
    if anchor is None:
        raise InvalidInput(
            "This is counted from the time the post has, and it has none yet: say the day, for example "
            '"tomorrow at noon".',
            code="when_incomplete",
        )
    return anchor


def _days_of_period(part: Period, today: date, anchor: date | None) -> tuple[Days, ...]:
    monday = monday_of(today) + timedelta(weeks=part.ahead)
    if part.unit == "weekend":
        return ((monday + timedelta(days=_SATURDAY),), (monday + timedelta(days=_SUNDAY),))
    if anchor is None:
        raise InvalidInput(
            f'Which day of the {part.unit}, and at which time? Say for example "next Wednesday at 9am".',
            code="when_incomplete",
        )
    if part.unit == "week":
        return ((monday + timedelta(days=anchor.weekday()),),)
    first = month_ahead(today.replace(day=1), part.ahead)
    return ((month_ahead(anchor, (first.year - anchor.year) * 12 + first.month - anchor.month),),)


def _calendar_meanings(options: Iterable[CalendarDay], today: date) -> tuple[Days, ...]:
    """A chain of days for each order of day and month in which there is such a day at all."""
    options = tuple(options)
    meanings = tuple(days for option in options if (days := calendar_days(option, today)))
    if not meanings:
        option = options[0]
        month = f" {MONTH_NAMES[option.month - 1]}" if option.month and option.month <= len(MONTH_NAMES) else ""
        year = f" {option.year}" if option.year else ""
        raise InvalidInput(f"There is no {option.day}{month}{year}: say a day that exists.", code="when_unknown")
    return meanings


def calendar_days(option: CalendarDay, today: date) -> Days:
    """The days an incomplete date can mean, nearest first: this year's, then next; this month's, then next."""
    if option.month is not None:
        years = (option.year,) if option.year else range(today.year, today.year + _YEARS_TRIED)
        return _existing((year, option.month, option.day) for year in years)[:2]
    first = today.replace(day=1)
    ahead = range(_MONTHS_TRIED) if option.months_ahead is None else (option.months_ahead,)
    months = [month_ahead(first, months) for months in ahead]
    return _existing((month.year, month.month, option.day) for month in months)


def _existing(days: Iterable[tuple[int, int, int]]) -> Days:
    found = []
    for year, month, day in days:
        if 1 <= month <= len(MONTH_NAMES) and 1 <= year <= 9999 and 1 <= day <= monthrange(year, month)[1]:  # noqa: PLR2004
            found.append(date(year, month, day))
    return tuple(found)
