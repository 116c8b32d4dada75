"""Conversations: threads, what was said, runs of the agent with their events, and approvals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Identity, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Identified, StoredList, StoredObject, Tenant, Timed


class Thread(Identified, Tenant, Timed, Base):
    """A conversation. ``focus`` lists the posts spoken of last, newest first: what "it" means.

    ``outside``: the sources of text from outside that the model has read in it, each with the highest effect that this
    text may have without a person.
    """

    __tablename__ = "threads"

    title: Mapped[str]
    focus: Mapped[list[str]] = mapped_column()
    outside: Mapped[StoredObject] = mapped_column(default=dict, server_default=text("'{}'"))
    created_by: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.studio_now())


class Message(Identified, Tenant, Timed, Base):
    """What people see of a conversation: the transcript, kept apart from the model's own context."""

    __tablename__ = "messages"

    seq: Mapped[int] = mapped_column(Identity(always=True))
    thread_id: Mapped[UUID]
    run_id: Mapped[UUID | None]
    role: Mapped[str]  # user | assistant | tool
    content: Mapped[str]
    details: Mapped[StoredObject | None]


class Run(Identified, Tenant, Timed, Base):
    """One turn of the agent: a message in, commands and an answer out; due work like any other.

    Status: queued, running, waiting (for an approval), done, failed, cancelled. ``resume`` is the answer to an
    interrupt, written by whoever decided and read by the process that goes on with the run. ``takes_back`` are the ids
    of runs before it whose messages and changes it takes back when it begins.
    """

    __tablename__ = "runs"

    thread_id: Mapped[UUID]
    user_id: Mapped[UUID]
    status: Mapped[str]
    text: Mapped[str]
    zone: Mapped[str | None]
    surface: Mapped[str]
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    reply: Mapped[str | None]
    error: Mapped[StoredObject | None]
    interrupt: Mapped[StoredObject | None]
    resume: Mapped[StoredObject | None]
    actions: Mapped[StoredList]
    takes_back: Mapped[list[str]] = mapped_column(server_default="{}")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]


class RunEvent(Tenant, Timed, Base):
    """One numbered event of a run, in AG-UI's shape."""

    __tablename__ = "run_events"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[StoredObject]


class ApprovalRequest(Identified, Tenant, Timed, Base):
    """A person's yes or no that something waits for. ``content_hash`` binds it to exactly what was shown."""

    __tablename__ = "approvals"

    run_id: Mapped[UUID | None]
    thread_id: Mapped[UUID | None]
    tool_call_id: Mapped[str | None]
    command: Mapped[str]
    args: Mapped[StoredObject]
    summary: Mapped[str]
    post_id: Mapped[UUID | None]
    content_hash: Mapped[str | None]
    status: Mapped[str]  # pending | approved | rejected | withdrawn | expired
    requested_by: Mapped[UUID | None]
    decided_by: Mapped[UUID | None]
    note: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class ToolCall(Identified, Tenant, Timed, Base):
    """One call of one command, written in the transaction of its effect.

    ``key`` makes a repeat return ``result`` instead of acting; ``changes`` holds rows before and after, for undo.
    """

    __tablename__ = "tool_calls"

    key: Mapped[str | None]
    command: Mapped[str]
    args: Mapped[StoredObject]
    args_hash: Mapped[str]
    result: Mapped[StoredObject]
    user_id: Mapped[UUID | None]
    surface: Mapped[str]
    thread_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    changes: Mapped[StoredList]
    undone_at: Mapped[datetime | None]
