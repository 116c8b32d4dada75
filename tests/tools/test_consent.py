"""Who may do what, and when a person is asked first: roles by effects, and policy by surface by role by effect."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest

from core import clock
from core.errors import Conflict, Forbidden
from db.models.conversation import ApprovalRequest
from tests.conftest import NewPrincipal
from tests.tools.conftest import AddPhoto, Desk, jpeg
from tools.command import Effect
from tools.consent import allow, asks
from tools.context import Caller, Doors, Principal, Role, Surface
from tools.dispatcher import ConsentNeeded, Dispatcher, with_approval

AddMember = Callable[[UUID, Role], Awaitable[tuple[Principal, str]]]
POLICIES = ("none", "irreversible", "agent", "all")


def somebody(role: Role, surface: Surface = Surface.REST) -> Caller:
    principal = Principal(
        workspace_id=uuid4(),
        workspace_name="Roastery",
        user_id=uuid4(),
        user_name="Ana",
        membership_id=uuid4(),
        role=role,
        timezone="Europe/Madrid",
    )
    return Caller(principal=principal, surface=surface, zone=principal.timezone)


# --- roles -----------------------------------------------------------------------------------------------------------

# Owner and editor change things, the approver looks and answers, the viewer looks (decisions: people).
MAY = {
    Role.OWNER: {Effect.READ, Effect.WRITE, Effect.SCHEDULE, Effect.IRREVERSIBLE},
    Role.EDITOR: {Effect.READ, Effect.WRITE, Effect.SCHEDULE, Effect.IRREVERSIBLE},
    Role.APPROVER: {Effect.READ},
    Role.VIEWER: {Effect.READ},
}


@pytest.mark.parametrize(("role", "effect", "surface"), list(product(Role, Effect, Surface)))
def test_roles_by_effects(role: Role, effect: Effect, surface: Surface) -> None:
    someone = somebody(role, surface)
    if effect in MAY[role]:
        allow(effect, someone)
        return
    with pytest.raises(Forbidden) as refused:
        allow(effect, someone)
    assert role in refused.value.message
    assert refused.value.action


def test_an_approval_lets_those_act_who_may_give_one() -> None:
    """An approver carries out what was approved; a viewer with the id of an approval is a viewer still."""
    for effect in (Effect.WRITE, Effect.SCHEDULE, Effect.IRREVERSIBLE):
        allow(effect, with_approval(somebody(Role.APPROVER), uuid4()))
        with pytest.raises(Forbidden):
            allow(effect, with_approval(somebody(Role.VIEWER), uuid4()))


# --- who is asked ----------------------------------------------------------------------------------------------------


def expected(policy: str, surface: Surface, role: Role, effect: Effect) -> bool:
    """The rule in words, written apart from the door's own: a table of 4 x 3 x 4 x 4 = 192 answers."""
    risk = {Effect.READ: 0, Effect.WRITE: 0, Effect.SCHEDULE: 1, Effect.IRREVERSIBLE: 2}[effect]
    if surface is Surface.AGENT:
        # What the agent does on its own: none 3 (nothing reaches it), irreversible 2, agent 1, all 1.
        threshold = {"none": 3, "irreversible": 2, "agent": 1, "all": 1}[policy]
    elif surface is Surface.REST and role not in {Role.OWNER, Role.APPROVER}:
        # A person who may not approve: "agent" is about the agent, so it is as "irreversible" for people.
        threshold = {"none": 3, "irreversible": 2, "agent": 2, "all": 1}[policy]
    else:
        threshold = 3  # the direct act of a person who may approve is consent; the system carries out what was agreed
    return risk >= threshold


@pytest.mark.parametrize(("policy", "surface"), list(product(POLICIES, Surface)))
def test_who_is_asked(policy: str, surface: Surface) -> None:
    for role, effect in product(Role, Effect):
        someone = somebody(role, surface)
        assert asks(effect, someone, policy) is expected(policy, surface, role, effect), (policy, surface, role, effect)


def test_how_many_are_asked() -> None:
    """The table added up, so that no half of it can go missing."""
    asked = {
        (policy, surface): sum(asks(effect, somebody(role, surface), policy) for role, effect in product(Role, Effect))
        for policy, surface in product(POLICIES, Surface)
    }
    assert asked == {
        ("none", Surface.REST): 0,
        ("none", Surface.AGENT): 0,
        ("none", Surface.SYSTEM): 0,
        ("irreversible", Surface.REST): 2,  # editor and viewer x irreversible
        ("irreversible", Surface.AGENT): 4,  # 4 roles x irreversible
        ("irreversible", Surface.SYSTEM): 0,
        ("agent", Surface.REST): 2,  # as irreversible: it is about the agent
        ("agent", Surface.AGENT): 8,  # 4 roles x (schedule, irreversible)
        ("agent", Surface.SYSTEM): 0,
        ("all", Surface.REST): 4,  # (editor, viewer) x (schedule, irreversible)
        ("all", Surface.AGENT): 8,
        ("all", Surface.SYSTEM): 0,
    }


async def test_the_arguments_decide_where_a_command_can_do_both(chat: Desk, doors: Doors, add_photo: AddPhoto) -> None:
    settings = doors.settings.model_copy(update={"approvals": "agent"})
    chat = replace(chat, dispatcher=Dispatcher(replace(doors, settings=settings), chat.dispatcher.catalog))
    draft = {"caption": "A post", "media": [{"asset_id": (await add_photo()).id}]}
    for asking in ({"when": "in 2 hours"}, {"publish_now": True}, {"publish_now": True, "when": "in 2 hours"}):
        with pytest.raises(ConsentNeeded):
            await chat.act("create_draft", **draft, **asking)
    assert (await chat.act("list_posts"))["total"] == 0
    await chat.act("create_draft", **draft)  # a draft is a write, which nobody is asked about
    assert (await chat.act("list_posts"))["total"] == 1


# --- a yes is for exactly this ---------------------------------------------------------------------------------------


async def post_of(desk: Desk, photo: AddPhoto, caption: str = "A post") -> str:
    made = (await desk.act("create_draft", caption=caption, media=[{"asset_id": (await photo()).id}]))["post"]
    assert isinstance(made, dict)
    return str(made["id"])


async def approval_of(
    doors: Doors, caller: Caller, needed: ConsentNeeded, *, status: str = "approved", principal: Principal | None = None
) -> UUID:
    """The question as a surface keeps it, answered."""
    workspace = (principal or caller.principal).workspace_id
    async with doors.database.session(workspace) as session:
        approval = ApprovalRequest(
            workspace_id=workspace,
            command=needed.command,
            args=needed.arguments,
            summary=needed.proposal.summary,
            content_hash=needed.proposal.content_hash,
            status=status,
            expires_at=await clock.now(session) + timedelta(days=1),
        )
        session.add(approval)
    return approval.id


async def question(desk: Desk, post_id: str) -> ConsentNeeded:
    return await desk.dispatcher.propose("publish_post", {"post_id": post_id}, desk.caller)


async def status_of(desk: Desk, post_id: str) -> tuple[object, object]:
    shown = (await desk.act("show_post", post_id=post_id))["post"]
    assert isinstance(shown, dict)
    return shown["status"], shown["approval"]


async def test_an_approved_call_is_carried_out_and_bound(
    desk: Desk, doors: Doors, add_photo: AddPhoto, add_member: AddMember
) -> None:
    for role in (Role.OWNER, Role.APPROVER):
        post_id = await post_of(desk, add_photo)
        person = desk.as_((await add_member(desk.caller.principal.workspace_id, role))[0])
        approval_id = await approval_of(doors, desk.caller, await question(desk, post_id))
        await person.dispatcher.run("publish_post", {"post_id": post_id}, with_approval(person.caller, approval_id))
        assert await status_of(desk, post_id) == ("publishing", "granted")


async def test_an_approval_that_is_no_yes_does_nothing(desk: Desk, doors: Doors, add_photo: AddPhoto) -> None:
    """Also for an owner, who would not have been asked: a call that names an approval is that approval carried out."""
    post_id = await post_of(desk, add_photo)
    for status, surface in product(("pending", "rejected", "withdrawn", "expired"), (Surface.AGENT, Surface.REST)):
        approval_id = await approval_of(doors, desk.caller, await question(desk, post_id), status=status)
        caller = with_approval(replace(desk.caller, surface=surface), approval_id)
        with pytest.raises(Conflict) as refused:
            await desk.dispatcher.run("publish_post", {"post_id": post_id}, caller)
        assert refused.value.code == "approval_mismatch"
    assert await status_of(desk, post_id) == ("draft", "none")


async def test_an_approver_cannot_change_things_with_just_any_approval(
    desk: Desk, doors: Doors, add_photo: AddPhoto, add_member: AddMember, new_workspace: NewPrincipal
) -> None:
    """No write passes on an approval that does not exist, is about something else, or is another workspace's."""
    post_id, other_id = await post_of(desk, add_photo), await post_of(desk, add_photo, "Another")
    approver = desk.as_((await add_member(desk.caller.principal.workspace_id, Role.APPROVER))[0])
    stranger = await new_workspace("Bakery")
    asked = await question(desk, post_id)
    for name, arguments, approval_id in (
        ("edit_draft", {"post_id": post_id, "caption": "Mine"}, uuid4()),
        ("edit_draft", {"post_id": post_id, "caption": "Mine"}, await approval_of(doors, desk.caller, asked)),
        ("publish_post", {"post_id": other_id}, await approval_of(doors, desk.caller, asked)),
        ("publish_post", {"post_id": post_id}, await approval_of(doors, desk.caller, asked, principal=stranger)),
    ):
        with pytest.raises(Conflict):
            await approver.dispatcher.run(name, arguments, with_approval(approver.caller, approval_id))
    assert await status_of(desk, post_id) == ("draft", "none")
    assert await status_of(desk, other_id) == ("draft", "none")


async def test_a_post_that_changed_after_the_yes_stays(desk: Desk, doors: Doors, add_photo: AddPhoto) -> None:
    other = (await add_photo("latte.jpg", jpeg(colour=(9, 9, 9)))).id
    changes: list[tuple[str, dict[str, object]]] = [
        ("edit_draft", {"caption": "Other words"}),
        ("edit_draft", {"media": [{"asset_id": other}]}),
        ("edit_draft", {"media": [{"asset_id": other, "alt_text": "A latte"}]}),
        ("schedule_post", {}),
    ]
    post_id = await post_of(desk, add_photo)
    for (name, change), surface in product(changes, (Surface.AGENT, Surface.REST)):
        await desk.act("edit_draft", post_id=post_id, caption=f"As it was shown before {name} {surface}")
        await desk.act("edit_draft", post_id=post_id, media=[{"asset_id": (await add_photo()).id}])
        approval_id = await approval_of(doors, desk.caller, await question(desk, post_id))
        when = {"when": f"in {5 if surface is Surface.AGENT else 6} hours"} if name == "schedule_post" else {}
        await desk.act(name, post_id=post_id, **change, **when)
        before = await status_of(desk, post_id)
        caller = with_approval(replace(desk.caller, surface=surface), approval_id)
        with pytest.raises(Conflict) as refused:
            await desk.dispatcher.run("publish_post", {"post_id": post_id}, caller)
        assert refused.value.code == "approval_stale", change
        assert await status_of(desk, post_id) == before
