"""What people add to a post's ledger, beside what the network was asked and answered."""

from collections.abc import Mapping

from db.models.post import PublishAttempt
from tools.context import Context


def add_word(context: Context, attempt: PublishAttempt, said: Mapping[str, object]) -> None:
    """Add a line with who said or did it, when, and from which surface; the network's own lines stay as they are."""
    caller = context.caller
    entry = {
        "at": context.now.isoformat(timespec="milliseconds"),
        **said,
        "by": caller.principal.user_name,
        "user_id": str(caller.principal.user_id),
        "surface": caller.surface.value,
    }
    attempt.steps = [*attempt.steps, entry]
