"""What a live post that lacks something says of it: the progress keeps it, and the post's last error shows it."""

from collections.abc import Mapping

from platforms.base import Done, Step

# Where the progress keeps the names of the steps that were given up (adapters read it), and what a person is told.
GIVEN_UP = "given_up"
WARNING = "warning"


def warning(step: Step, *, why: str, is_known: bool, reconnect: bool = False) -> dict[str, object]:
    """What is said of a live post that lacks this step, in the form of a post's last error.

    ``reconnect``: the account's token does not allow it.
    """
    what = step.name.replace("_", " ")
    if is_known:
        message = f"The post is live, but its {what} did not go out: {why}"
        action = f"Add the {what} in the network's own app; the post itself needs nothing."
    else:
        message = f"The post is live, but it is not known whether its {what} went out: {why}"
        action = f"Look under the post, and add the {what} in the network's own app if it is not there."
    if reconnect:
        action += f" Connect the account again and allow everything, so that the next {what} goes out."
    return {
        "code": f"{step.name}_failed",
        "message": message.replace("\x00", ""),
        "action": action,
        "platform_code": None,
    }


def warning_kept(progress: Mapping[str, object]) -> dict[str, object] | None:
    """The warning of a walk, None when nothing was given up."""
    kept = progress.get(WARNING)
    return dict(kept) if isinstance(kept, Mapping) else None


def inbox_note(done: Done) -> dict[str, object] | None:
    """What a person has to know of a post that went through and that the network gives no id for, with its reason."""
    if done.platform_post_id is not None or not done.note:
        return None
    return {"code": "no_post_id", "message": done.note.replace("\x00", ""), "action": "", "platform_code": None}
