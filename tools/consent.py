"""Who may do what, and when a person is asked first: by effect, role, surface and STUDIO_APPROVALS."""

from collections.abc import Mapping
from typing import assert_never

from core.errors import Forbidden
from tools.command import Effect
from tools.context import Caller, Surface


def allow(effect: Effect, caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller's role allows this effect."""
    role = caller.principal.role
    match effect:
        case Effect.READ:
            return
        case Effect.WRITE | Effect.SCHEDULE | Effect.IRREVERSIBLE:
            if not role.may_write and not (caller.approval_id is not None and role.may_approve):
                raise Forbidden(
                    f"Your role here is {role}, which may look but not change anything.",
                    action="Ask an owner of the workspace to make you an editor.",
                )
        case _:
            assert_never(effect)


def asks(effect: Effect, caller: Caller, policy: str) -> bool:
    """Whether a call stops for a person under STUDIO_APPROVALS; a direct act of who may approve never does."""
    if effect in {Effect.READ, Effect.WRITE} or policy == "none":
        return False
    if caller.surface is Surface.SYSTEM:
        return False
    if caller.surface is Surface.REST:
        stops = not caller.principal.role.may_approve
        return stops and (effect is Effect.IRREVERSIBLE or policy == "all")
    return effect is Effect.IRREVERSIBLE or policy in {"agent", "all"}


def held_back_by(effect: Effect, held: Mapping[str, object]) -> tuple[str, ...]:
    """The sources of text from outside that may not have this effect without a person, whatever the policy.

    ``held`` is what the thread keeps: by source the highest effect that its text may have.
    """
    order = tuple(Effect)
    return tuple(source for source, most in held.items() if order.index(effect) > order.index(Effect(str(most))))
