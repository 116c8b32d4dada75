"""What the offline model says: a plan in words, results as sentences and short lists, errors with their way out."""

from collections.abc import Mapping, Sequence

from agent.offline.networks import display, listed
from agent.offline.reading import MADE, Arguments, Step

_VERBS = {
    "schedule_post": "schedule",
    "move_post": "move",
    "cancel_post": "cancel",
    "publish_post": "publish",
    "edit_draft": "change",
    "show_post": "show",
    "repurpose_post": "repurpose",
    "retry_post": "retry",
    "resolve_post": "settle",
    "delete_post": "delete the live post",
    "fit_media": "fit the photo of",
    "create_experiment": "run an experiment on",
}
_OTHERS = {
    "list_posts": "list the posts",
    "list_accounts": "list the accounts",
    "check_posts": "check what is planned",
    "list_notifications": "list what happened",
    "undo": "undo the last change",
    "plan_week": "plan the week",
    "accept_plan": "take the plan over",
    "move_posts": "move those posts",
    "cancel_posts": "cancel those posts",
}
_MOST_LINES = 20
_CAPTION_SHOWN = 600
_ROW_CAPTION = 48


def described(steps: Sequence[Step]) -> str:
    """A plan in words, for "Shall I …?"."""
    return " and then ".join(_described(step) for step in steps) or "go on"


def _described(step: Step) -> str:
    arguments = step.arguments
    if step.command == "create_draft":
        about = arguments.get("about")
        return f"draft a post about {about}" if about else "draft that post"
    if step.command in _VERBS:
        when = f" {'to' if step.command == 'move_post' else 'for'} {arguments['when']}" if "when" in arguments else ""
        name = _post_name(str(arguments.get("post_id", "it")))
        return f"{_VERBS[step.command]} {name}{_beside(arguments)}{when}"
    return _OTHERS.get(step.command, step.command)


def _beside(arguments: Arguments) -> str:
    """The networks that a post is brought to, " for Facebook"."""
    platforms = arguments.get("platforms")
    return f" for {listed(tuple(display(str(name)) for name in platforms))}" if isinstance(platforms, list) else ""


def _post_name(reference: str) -> str:
    if reference in {"it", MADE} or reference.startswith(("last ", "latest ", "newest ", "most recent ", "previous ")):
        return "it" if reference in {"it", MADE} else f"the {reference}"
    return f"the post “{reference}”" if not (reference.isupper() and " " not in reference) else reference


def told(command: str, result: Mapping[str, object]) -> str:
    """The answer to one call that worked: its summary, then what a person wants to see."""
    summary = str(result.get("summary") or "Done.").strip()
    lines = [summary, *_details(command, result, summary)]
    lines += [f"Note: {warning}" for warning in _list(result.get("warnings"))]
    return "\n".join(lines)


def _details(command: str, result: Mapping[str, object], summary: str) -> list[str]:
    rows = [row for row in _rows(result) if isinstance(row, Mapping)]
    if command == "list_accounts":
        return [
            line
            for row in rows[:_MOST_LINES]
            if (line := _account_line(row)) and not _is_said(row.get("handle"), summary)
        ]
    if command in {"check_posts", "list_notifications"}:
        return _watched_lines(rows)
    if command == "list_posts":
        lines = [_post_line(row) for row in rows[:_MOST_LINES]]
        more = len(rows) - _MOST_LINES
        return [*lines, *([f"… and {more} more."] if more > 0 else [])]
    post = result.get("post")
    return _post_details(command, post, summary) if isinstance(post, Mapping) else []


def _watched_lines(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """What is in the way, or what happened: the cause, what to do, and the link."""
    lines = []
    for row in rows[:_MOST_LINES]:
        said = str(row.get("text") or row.get("message") or "").strip()
        action = str(row.get("action") or "").strip() if row.get("resolved_at") is None else "That is settled."
        link = str(row.get("link") or "")
        when = str(row.get("receipt") or "")
        parts = [said, action, link if link not in said else "", f"({when})" if when else ""]
        lines.append(f"- {' '.join(part for part in parts if part)}")
    more = len(rows) - _MOST_LINES
    return [*lines, *([f"… and {more} more."] if more > 0 else [])]


def _rows(result: Mapping[str, object]) -> list[object]:
    for name in ("items", "posts", "accounts"):
        if isinstance(result.get(name), list):
            return _list(result[name])
    return []


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_said(value: object, summary: str) -> bool:
    return isinstance(value, str) and bool(value) and value in summary


def _account_line(row: Mapping[str, object]) -> str:
    status = f" ({row['status']})" if row.get("status") else ""
    return f"- {display(str(row.get('platform', '')))} @{str(row.get('handle', '')).lstrip('@')}{status}"


def _post_line(row: Mapping[str, object]) -> str:
    words = " ".join(str(row.get("caption") or row.get("about") or "no words yet").split())
    short = words if len(words) <= _ROW_CAPTION else f"{words[: _ROW_CAPTION - 1].rstrip()}…"
    when = row.get("receipt") or row.get("published_at") or row.get("scheduled_for")
    parts = [str(row.get("status", "")), str(when) if when else "", f"@{row['account']}" if row.get("account") else ""]
    return f"- {row.get('code', '')} “{short}”: {', '.join(part for part in parts if part)}"


def _post_details(command: str, post: Mapping[str, object], summary: str) -> list[str]:
    lines = []
    caption = str(post.get("caption") or "").strip()
    if command in {"create_draft", "edit_draft", "show_post"} and caption and caption not in summary:
        shown = caption if len(caption) <= _CAPTION_SHOWN else f"{caption[:_CAPTION_SHOWN].rstrip()}…"
        lines.append(f"Caption: {shown}")
    permalink = post.get("permalink")
    if isinstance(permalink, str) and permalink and permalink not in summary:
        lines.append(f"Link: {permalink}")
    problem = post.get("last_error")
    if command == "show_post" and isinstance(problem, Mapping) and str(problem.get("message", "")) not in summary:
        lines.append(f"{problem.get('message', '')} {problem.get('action') or ''}".strip())
    return lines


def refused(error: Mapping[str, object]) -> str:
    """The answer to a call that failed: what is wrong, the candidates as a question, else the way out."""
    message = str(error.get("message") or "That did not work.").strip()
    candidates = [row for row in _list(error.get("candidates")) if isinstance(row, Mapping)]
    if candidates:
        lines = [
            f"{number}. {row.get('label') or row.get('id')}"
            for number, row in enumerate(candidates[:_MOST_LINES], start=1)
        ]
        return "\n".join([message if message.endswith("?") else f"{message} Which one?", *lines])
    action = str(error.get("action") or "").strip()
    if error.get("code") == "approval_rejected":
        return message  # its action is advice to a language model
    return f"{message} {action}".strip() if action and action not in message else message


def left_undone(steps: Sequence[Step]) -> str:
    """The sentence about what a plan did not come to."""
    return f"So I did not {described(steps)}." if steps else ""
