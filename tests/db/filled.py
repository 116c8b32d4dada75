"""A workspace with a row in every table: made by real commands, and by the application's own statements beyond them."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, empty_checkpoint
from PIL import Image
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from core import keys
from core.ids import new_id
from core.settings import Settings
from core.vault import generate_key
from db.models.conversation import Run, Thread
from db.models.idea import Experiment, ExperimentVariant, Idea
from db.queries import people, runs, threads
from memory.checkpoints import checkpoint_thread, checkpoints_of, open_saver
from tests.conftest import Sandbox
from tools.assets import keep_asset
from tools.commands import catalog
from tools.context import Caller, Doors, Principal, Role, Surface
from tools.dispatcher import Dispatcher
from tools.media.inspect import inspect
from tools.publishing.engine import PostWork

CAPTION = "The words of {name}: nobody else may read them."


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a workspace holds: its owner, and what its rows are called."""

    principal: Principal
    account_id: str
    handle: str
    external_id: str
    token: str
    asset_id: str
    asset_name: str
    draft_id: str
    draft_code: str
    planned_id: str
    sent_id: str
    thread_id: UUID
    run_id: UUID
    approval_id: UUID
    plan_id: str
    experiment_id: str
    notification_id: str

    @property
    def workspace_id(self) -> UUID:
        """Whose rows these are."""
        return self.principal.workspace_id


def settings_of(url: str, sandbox: Sandbox, directory: Path) -> Settings:
    """Settings of a Studio on this database that speaks to the sandbox."""
    return Settings(
        _env_file=None,
        database_url=SecretStr(url),
        data_dir=directory,
        secret_keys=SecretStr(generate_key()),
        facebook_graph_url=f"{sandbox.url}/facebook-graph",
        instagram_graph_url=f"{sandbox.url}/instagram-graph",
        meta_upload_url=f"{sandbox.url}/meta-upload",
        allow_private_media=True,
        model="offline",
        timezone="Europe/Madrid",
    )


async def make_owner(admin_url: str, name: str) -> Principal:
    """A new workspace's owner."""
    key = keys.generate()
    options = {"options": "-c search_path=studio"}
    engine = create_async_engine(admin_url, poolclass=NullPool, connect_args=options)
    async with engine.begin() as connection:
        await people.create_first_owner(
            connection,
            people.FirstOwner(
                workspace_name=name,
                timezone="Europe/Madrid",
                user_name=f"owner of {name}",
                key_prefix=keys.prefix(key),
                key_digest=keys.digest(key),
            ),
        )
        row = await people.find_principal(AsyncSession(bind=connection), keys.digest(key))
    await engine.dispose()
    assert row is not None
    values = {name: getattr(row, name) for name in Principal.__dataclass_fields__}
    return Principal(**values | {"role": Role(row.role)})


def picture(colour: tuple[int, int, int]) -> bytes:
    """A JPEG that Instagram takes."""
    buffer = io.BytesIO()
    Image.new("RGB", (1080, 1080), colour).save(buffer, "JPEG")
    return buffer.getvalue()


async def _asset(doors: Doors, principal: Principal, name: str, colour: tuple[int, int, int]) -> str:
    async with doors.store.stage(limit_bytes=50_000_000) as staged:
        await staged.write(picture(colour))
        await staged.finish()
        facts = await inspect(staged.path)
        await staged.keep()
    return (await keep_asset(doors, principal, facts, name=name, source_url=None)).id


def _of(result: dict[str, object], name: str) -> dict[str, object]:
    found = result[name]
    assert isinstance(found, dict)
    return found


async def fill(doors: Doors, principal: Principal, sandbox: Sandbox, *, number: int) -> Filled:
    """Give a workspace a row in every table. ``number`` tells workspaces apart: 1 to 9."""
    name = principal.workspace_name.lower()
    dispatcher = Dispatcher(doors, catalog())
    caller = Caller(principal=principal, surface=Surface.REST, zone=principal.timezone)

    async def act(command: str, **arguments: object) -> dict[str, object]:
        return (await dispatcher.run(command, arguments, caller)).result

    known = {"platform": "instagram", "external_id": f"1784140000000000{number}", "access_token": f"IGAA-token-{name}"}
    sandbox.control("POST", "accounts", {**known, "handle": name})
    account = _of(
        await act("connect_account", **known, refresh_token=f"refresh-{name}", metadata={"login": "facebook"}),
        "account",
    )
    asset_name = f"{name}-front.jpg"
    asset_id = await _asset(doors, principal, asset_name, (20 * number, 60, 30))
    media = [{"asset_id": asset_id, "alt_text": f"What {name} looks like"}]
    posts: Sequence[dict[str, object]] = [
        _of(await act("create_draft", caption=CAPTION.format(name=name), media=media), "post") for _ in range(3)
    ]
    draft, planned, sent = posts
    await act("create_draft", caption=f"An idea of {name}, without a picture")
    await act("schedule_post", post_id=planned["id"], when="in 3 hours")
    await act("publish_post", post_id=sent["id"])
    work = PostWork(doors, asyncio.Event())
    for claim in await work.claim(10, sweep=True):
        await work.work(claim)
    thread_id, run_id, approval_id = await _conversation(doors, principal, str(draft["id"]))
    await _checkpoint(doors, principal, thread_id)
    plan = await act("plan_week", posts=3)
    experiment_id = await _ideas(doors, principal, str(draft["id"]))
    told = (await act("list_notifications"))["items"]
    assert isinstance(told, list)
    return Filled(
        principal=principal,
        account_id=str(account["id"]),
        handle=name,
        external_id=known["external_id"],
        token=known["access_token"],
        asset_id=asset_id,
        asset_name=asset_name,
        draft_id=str(draft["id"]),
        draft_code=str(draft["code"]),
        planned_id=str(planned["id"]),
        sent_id=str(sent["id"]),
        thread_id=thread_id,
        run_id=run_id,
        approval_id=approval_id,
        plan_id=str(plan["plan_id"]),
        experiment_id=experiment_id,
        notification_id=str(told[0]["id"]),
    )


async def _ideas(doors: Doors, principal: Principal, post_id: str) -> str:
    """An idea, and an experiment that begins with a post; the experiment's id."""
    workspace_id, experiment_id = principal.workspace_id, new_id()
    async with doors.database.session(workspace_id) as session:
        session.add(Idea(workspace_id=workspace_id, about="an idea", created_by=principal.user_id))
        session.add(Experiment(id=experiment_id, workspace_id=workspace_id, vary="caption", hypothesis="short wins"))
        await session.flush()
        first = {"workspace_id": workspace_id, "experiment_id": experiment_id, "post_id": UUID(post_id)}
        session.add(ExperimentVariant(**first, letter="A"))
    return str(experiment_id)


async def _conversation(doors: Doors, principal: Principal, post_id: str) -> tuple[UUID, UUID, UUID]:
    """A thread with a finished run, what was said in it, its events, a question, and a signed-in browser."""
    workspace_id, run_id, approval_id = principal.workspace_id, new_id(), new_id()
    async with doors.database.session(workspace_id) as session:
        thread = Thread(workspace_id=workspace_id, title="a chat", focus=[post_id], created_by=principal.user_id)
        session.add(thread)
        await session.flush()
        made = {"workspace_id": workspace_id, "thread_id": thread.id, "user_id": principal.user_id, "surface": "rest"}
        run = Run(id=run_id, **made, status="done", text="hello", actions=[])
        # One that nothing refers to yet.
        session.add_all([run, Run(id=new_id(), **made, status="cancelled", text="never mind", actions=[])])
        await session.flush()
        line = {"id": new_id(), "workspace_id": workspace_id, "thread_id": thread.id, "role": "user"}
        await threads.say(session, [{**line, "content": "hello", "run_id": run_id}])
        await runs.add_events(session, run, [{"type": "RUN_STARTED"}])
        await runs.ask_for_approval(
            session,
            {
                "id": approval_id,
                "workspace_id": workspace_id,
                "run_id": run_id,
                "thread_id": thread.id,
                "tool_call_id": "call_0",
                "command": "publish_post",
                "args": {"post_id": post_id},
                "summary": "Publish it?",
                "post_id": UUID(post_id),
                "status": "pending",
                "requested_by": principal.user_id,
                "expires_at": datetime.now(UTC) + timedelta(days=1),
            },
        )
        await people.add_browser_token(
            session,
            workspace_id=workspace_id,
            membership_id=principal.membership_id,
            kind="session",
            digest=run_id.bytes * 2,
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )
    return thread.id, run_id, approval_id


async def _checkpoint(doors: Doors, principal: Principal, thread_id: UUID) -> None:
    """What LangGraph keeps of a conversation, through the saver itself."""
    config: RunnableConfig = {
        "configurable": {"thread_id": checkpoint_thread(principal.workspace_id, thread_id), "checkpoint_ns": ""}
    }
    checkpoint = empty_checkpoint()
    versions: ChannelVersions = {"messages": "1", "notes": "1"}
    checkpoint["channel_values"] = {"messages": ["what was said"], "notes": ["what is kept as one value"]}
    checkpoint["channel_versions"] = versions
    async with open_saver(doors.database.url, pool_size=1) as saver:
        with checkpoints_of(principal.workspace_id):
            kept = await saver.aput(config, checkpoint, {"source": "input", "step": 0}, versions)
            await saver.aput_writes(kept, [("messages", "an answer")], task_id="task-1")
