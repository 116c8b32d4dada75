"""What can be kept: PostgreSQL takes no NUL and no half of a surrogate pair, no NaN, and we no endless nest."""

from collections.abc import Iterator

from core.errors import Problem

# Deeper than anything Studio or a network asks for, and far from where a parser's stack ends.
_DEEPEST = 16
_LARGEST = 2**63


def unstorable(given: object) -> tuple[Problem, ...]:
    """What in some JSON cannot be kept, each with its path; at most one problem per value."""
    return tuple(_problems(given, ()))


def _problems(given: object, path: tuple[str, ...]) -> Iterator[Problem]:
    if len(path) > _DEEPEST:
        yield _problem(path[:3], "too_deep", f"It is nested deeper than {_DEEPEST} levels.")
        return
    match given:
        case str():
            if (why := _unwritable(given)) is not None:
                yield _problem(path, "text_invalid", why)
        case int() | float():
            if not abs(given) < _LARGEST:  # so said, it refuses NaN too
                yield _problem(path, "number_invalid", "It is not a number that can be kept.")
        case dict():
            for name, value in given.items():
                yield from (
                    _problem(path, each.code, f"In a name: {each.message}") for each in _problems(str(name), ())
                )
                yield from _problems(value, (*path, str(name)))
        case list() | tuple():
            for place, value in enumerate(given):
                yield from _problems(value, (*path, str(place)))


def _unwritable(text: str) -> str | None:
    if "\x00" in text:
        return "It has a NUL character in it, which cannot be kept."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "It has half of a surrogate pair in it, which is no character."
    return None


def _problem(path: tuple[str, ...], code: str, message: str) -> Problem:
    return Problem(path=".".join(path), code=code, message=message)
