"""The one door: find -> parse -> allow -> consent -> run -> record, for every call from every surface."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from core import clock
from core.errors import Conflict, InvalidInput, Problem, StudioError
from core.ids import new_id
from db.models.conversation import ToolCall
from db.queries import approvals, calls, threads
from tools.catalog import Catalog
from tools.command import AnyCommand, Arguments, Effect, Proposal
from tools.consent import allow, asks, held_back_by
from tools.context import Caller, Context, Doors, Surface
from tools.outside import OutsideText, ceilings
from tools.storable import unstorable


class ConsentNeeded(StudioError):
    """A person has to say yes first. ``proposal`` is what to show, ``arguments`` what to run after the yes."""

    status = 409
    default_code = "approval_needed"

    def __init__(self, command: str, arguments: dict[str, object], proposal: Proposal) -> None:
        super().__init__(proposal.summary, action="Ask somebody who may approve, then answer the approval.")
        self.command = command
        self.arguments = arguments
        self.proposal = proposal


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a call came to. ``replayed``: the same key had been used before, so nothing was done this time.

    ``outside`` are the words in the result that somebody outside of this conversation wrote.
    """

    command: str
    arguments: dict[str, object]
    result: dict[str, object]
    replayed: bool
    outside: tuple[OutsideText, ...] = ()

    @property
    def summary(self) -> str:
        """The result's sentence for people."""
        return str(self.result.get("summary", ""))


class Dispatcher:
    """Runs commands by name for a caller. Raises ``core.errors`` and ``ConsentNeeded``; a failed call leaves no row."""

    def __init__(self, doors: Doors, catalog: Catalog) -> None:
        self.doors = doors
        self.catalog = catalog

    async def run(self, name: str, raw: object, caller: Caller) -> Outcome:
        """Run one command. The same ``caller.key`` again returns the first result and does nothing."""
        command = self.catalog.find(name)
        arguments = parse(command, raw)
        if (stored := await self._stored(command, arguments, caller)) is not None:
            return stored
        effect = command.effect_of(arguments)
        allow(effect, caller)
        read: list[OutsideText] = []
        try:
            approved_hash = await self._consent(command, arguments, effect, caller, read)
            gathered = None
            if command.gather:
                gathered = await command.gather(await self._context(caller, read), arguments)
            return await self._apply(command, arguments, gathered, caller, approved_hash, read)
        except StudioError:
            # What went wrong may be told in others' words, too.
            await self._hold(caller, read)
            raise

    async def propose(self, name: str, raw: object, caller: Caller) -> ConsentNeeded:
        """What a person would be asked before this call, whatever the policy."""
        command = self.catalog.find(name)
        return await self._proposal(command, parse(command, raw), caller, [])

    async def _stored(self, command: AnyCommand, arguments: Arguments, caller: Caller) -> Outcome | None:
        if caller.key is None:
            return None
        async with self.doors.database.session(caller.principal.workspace_id) as session:
            call = await calls.by_key(session, caller.key)
        return _replay(call, command, arguments) if call else None

    async def _context(self, caller: Caller, read: list[OutsideText]) -> Context:
        async with self.doors.database.session(caller.principal.workspace_id) as session:
            return Context(caller=caller, doors=self.doors, now=await clock.now(session), outside=read)

    async def _hold(self, caller: Caller, read: Sequence[OutsideText]) -> None:
        if read and caller.thread_id is not None:
            async with self.doors.database.session(caller.principal.workspace_id) as session:
                await threads.hold_outside_text(session, caller.thread_id, ceilings(read))

    async def _held_back_by(self, effect: Effect, caller: Caller) -> tuple[str, ...]:
        """The sources of text in the agent's conversation that may not bring this about without a person."""
        if caller.thread_id is None or caller.surface is not Surface.AGENT:
            return ()
        async with self.doors.database.session(caller.principal.workspace_id) as session:
            return held_back_by(effect, await threads.outside_text(session, caller.thread_id))

    async def _consent(
        self, command: AnyCommand, arguments: Arguments, effect: Effect, caller: Caller, read: list[OutsideText]
    ) -> str | None:
        """The content hash a person said yes to, None when nobody had to; raises when the yes is missing or stale.

        A yes that is named has to fit, also where none was needed: it is exactly this that is carried out.
        """
        if caller.approval_id is None:
            sources = await self._held_back_by(effect, caller)
            if sources or asks(effect, caller, self.doors.settings.approvals):
                raise because(await self._proposal(command, arguments, caller, read), sources)
            return None
        # Does the yes still fit? What was shown is compared with what would happen now.
        current = await self._proposal(command, arguments, caller, read)
        async with self.doors.database.session(caller.principal.workspace_id) as session:
            approval = await approvals.get(session, caller.approval_id)
        if approval is None or approval.status != "approved" or approval.command != command.name:
            raise Conflict("That approval does not cover this.", code="approval_mismatch", action="Ask again.")
        if approval.args != current.arguments or approval.content_hash != current.proposal.content_hash:
            raise Conflict(
                "The post changed after it was approved, so it was not published.",
                code="approval_stale",
                action="Look at the post and approve it again.",
            )
        return approval.content_hash

    async def _proposal(
        self, command: AnyCommand, arguments: Arguments, caller: Caller, read: list[OutsideText]
    ) -> ConsentNeeded:
        proposal = Proposal(summary=_question(command, arguments))
        if command.propose is not None:
            async with self.doors.database.session(caller.principal.workspace_id) as session:
                now = await clock.now(session)
                context = Context(caller=caller, doors=self.doors, now=now, open_session=session, outside=read)
                proposal = await command.propose(context, arguments)
        recorded = _recorded(arguments)
        return ConsentNeeded(command.name, {**recorded, **(proposal.pinned or {})}, proposal)

    async def _apply(
        self,
        command: AnyCommand,
        arguments: Arguments,
        gathered: object,
        caller: Caller,
        approved_hash: str | None,
        read: list[OutsideText],
    ) -> Outcome:
        async with self.doors.database.session(caller.principal.workspace_id) as session:
            if caller.key is not None:
                # Two calls with one key at the same moment: the second waits here, then finds the first one's row.
                await calls.reserve(session, f"{caller.principal.workspace_id}:{caller.key}")
                if (call := await calls.by_key(session, caller.key)) is not None:
                    return _replay(call, command, arguments)
            context = Context(
                caller=caller,
                doors=self.doors,
                now=await clock.now(session),
                open_session=session,
                approved_hash=approved_hash,
                outside=read,
            )
            result = await command.apply(context, arguments, gathered)
            outcome = Outcome(
                command=command.name,
                arguments=_recorded(arguments),
                result=result.model_dump(mode="json"),
                replayed=False,
                outside=tuple(read),
            )
            if read and caller.thread_id is not None:
                # Before the model can read it.
                await threads.hold_outside_text(session, caller.thread_id, ceilings(read))
            if command.effect_of(arguments) is not Effect.READ:
                await calls.record(session, _row(context, outcome, args_hash=_identity(arguments)))
        for notify in context.after_commit:
            notify()
        return outcome


def parse(command: AnyCommand, raw: object) -> Arguments:
    """The typed arguments; raises ``InvalidInput`` with the path of every field that is wrong."""
    if problems := unstorable(raw):
        raise _unusable(command, problems)
    try:
        return command.arguments.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        raise _unusable(command, tuple(_problem(detail) for detail in details)) from None


def _unusable(command: AnyCommand, problems: Sequence[Problem]) -> InvalidInput:
    listed = "; ".join(f"{problem.path[:80] or command.name}: {problem.message}" for problem in problems[:5])
    return InvalidInput(
        f"{command.name} was given arguments it cannot use: {listed}.",
        code="invalid_arguments",
        action="Correct the named fields and call it again.",
        problems=problems,
    )


def _problem(detail: ErrorDetails) -> Problem:
    path = ".".join(str(part) for part in detail["loc"])
    return Problem(path=path, code=detail["type"], message=detail["msg"].removeprefix("Value error, "))


def _recorded(arguments: Arguments) -> dict[str, object]:
    """The arguments as they are kept: what was given, secrets as stars (pydantic's SecretStr)."""
    return arguments.model_dump(mode="json", exclude_unset=True)


def fingerprint(recorded: dict[str, object]) -> str:
    """SHA-256 of arguments in canonical JSON."""
    return hashlib.sha256(json.dumps(recorded, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _identity(arguments: Arguments) -> str:
    """The fingerprint of what was given, secrets too: two requests that differ in a token alone are two requests."""
    secrets = {
        name: value.get_secret_value()
        for name in arguments.model_fields_set
        if isinstance(value := getattr(arguments, name), SecretStr)
    }
    return fingerprint(_recorded(arguments) | secrets)


def _question(command: AnyCommand, arguments: Arguments) -> str:
    """What is asked where the command has no words of its own: its title, and every argument as it is given."""
    given = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in _recorded(arguments).items())
    return f"{command.title}?" + (f" {given}" if given else "")


def because(needed: ConsentNeeded, sources: Sequence[str]) -> ConsentNeeded:
    """The same question, saying that it is asked because of what the conversation holds from outside."""
    if not sources:
        return needed
    told = f"{needed.proposal.summary} (This is asked because the conversation holds {', '.join(sources)}.)"
    return ConsentNeeded(needed.command, needed.arguments, replace(needed.proposal, summary=told))


def _replay(call: ToolCall, command: AnyCommand, arguments: Arguments) -> Outcome:
    if call.command != command.name or call.args_hash != _identity(arguments):
        raise Conflict(
            "This idempotency key was used before for something else.",
            code="idempotency_key_reused",
            action="Use a new key for a new request; repeat a key only with the very same request.",
        )
    return Outcome(command=call.command, arguments=call.args, result=call.result, replayed=True)


def _row(context: Context, outcome: Outcome, *, args_hash: str) -> dict[str, object]:
    caller = context.caller
    return {
        "id": new_id(),
        "workspace_id": context.workspace_id,
        "key": caller.key,
        "command": outcome.command,
        "args": outcome.arguments,
        "args_hash": args_hash,
        "result": outcome.result,
        "user_id": caller.principal.user_id,
        "surface": caller.surface.value,
        "thread_id": caller.thread_id,
        "run_id": caller.run_id,
        "changes": [
            *({"plan_id": str(plan_id)} for plan_id in context.made_plans),
            *(
                {"post_id": str(change.post_id), "before": change.before, "after": change.after}
                for change in context.changes
            ),
        ],
    }


def with_approval(caller: Caller, approval_id: UUID) -> Caller:
    """The same call, carried out on an approval."""
    return replace(caller, approval_id=approval_id)
