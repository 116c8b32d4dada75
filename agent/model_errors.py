"""What went wrong at the model's endpoint, in a sentence with a way out."""

from collections.abc import Callable

import openai

from core.errors import Misconfigured, StudioError, Unavailable

_RESTS = "Nothing was done half-way; say it again when the model is back."


def as_studio_error(error: Exception, *, silence: float) -> StudioError:
    """The error for people. ``silence``: the seconds the endpoint was given.

    Streams break with whatever the HTTP library raises, so what is not known counts as an endpoint that is away.
    """
    for kinds, make in _KNOWN:
        if isinstance(error, kinds):
            return make()
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return _away(f"The model endpoint said nothing for {silence:g} s.")
    if isinstance(error, openai.APIStatusError):
        return _away(f"The model endpoint answered with an error ({error.status_code}).")
    return _away("The model endpoint cannot be reached.")


def _away(message: str) -> StudioError:
    return Unavailable(message, code="model_unavailable", action=_RESTS)


def _refused() -> StudioError:
    return Misconfigured(
        "The model endpoint does not accept Studio's key.",
        code="model_refused",
        action="Check OPENAI_API_KEY and OPENAI_BASE_URL.",
    )


def _unknown() -> StudioError:
    return Misconfigured(
        "The model endpoint does not know the model, or there is no endpoint at that address.",
        code="model_unknown",
        action="Check STUDIO_MODEL and OPENAI_BASE_URL.",
    )


def _rejected() -> StudioError:
    return Misconfigured(
        "The model endpoint refused the conversation.",
        code="model_rejected",
        action="Begin a new conversation; if it happens again, choose a model that can call tools.",
    )


def _exhausted() -> StudioError:
    return _away("The model endpoint says that too much was asked of it, or that the quota is used up.")


_KNOWN: tuple[tuple[tuple[type[Exception], ...], Callable[[], StudioError]], ...] = (
    ((openai.AuthenticationError, openai.PermissionDeniedError), _refused),
    ((openai.NotFoundError,), _unknown),
    ((openai.BadRequestError, openai.UnprocessableEntityError), _rejected),
    ((openai.RateLimitError,), _exhausted),
)
