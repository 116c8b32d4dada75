"""Our twins against Meta's own tables: every parameter that is sent or accepted here exists in Meta's SDK.

The facebook_business SDK is generated from Meta's specification: each of its calls carries the names and types of its
parameters, which are read here from its source. Another network of Meta's plugs in with an entry in ``NETWORKS``.
"""

import ast
import contextlib
import importlib
import inspect
import textwrap
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpx
import pytest

from platforms.base import Adapter, Step
from sandbox.facebook.publishing import ACCEPTED
from sandbox.graph_fields import parse_fields
from sandbox.instagram import insights, reading, rules
from tests.platforms.cases import facebook, instagram
from tests.platforms.contract import Case, Walk, new_walk
from tests.platforms.world import FileServer, Sandbox, running_sandbox

# Every read of the Graph API takes them, so that the SDK lists them nowhere.
GENERAL = frozenset({"fields", "limit", "after", "before"})


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One call: the SDK's method for it, what our twin accepts, and which class's fields may be asked for.

    ``exceptions`` are parameters that the SDK does not list here, each with the reason why they are right all the same.
    """

    call: tuple[str, str]
    accepts: frozenset[str] = frozenset()
    fields_of: str | None = None
    exceptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A twin: its calls by the sandbox's route, and the contract suite's cases that make them."""

    platform: str
    edges: Mapping[str, Edge]
    cases: tuple[Case, ...]


NETWORKS = (
    Network(
        platform="instagram",
        cases=instagram.CASES,
        edges={
            "instagram.create_container": Edge(call=("IGUser", "create_media"), accepts=rules.PARAMETERS),
            "instagram.media_publish": Edge(
                call=("IGUser", "create_media_publish"), accepts=frozenset({"creation_id"})
            ),
            "instagram.list_media": Edge(
                call=("IGUser", "get_media"), accepts=frozenset({"since", "until"}), fields_of="IGMedia"
            ),
            "instagram.list_stories": Edge(
                call=("IGUser", "get_stories"),
                fields_of="IGMedia",
                exceptions={"since": "time paging works on every list of the Graph API; stories last a day anyway"},
            ),
            "instagram.get_media": Edge(call=("IGMedia", "api_get"), fields_of="IGMedia"),
            "instagram.comment": Edge(call=("IGMedia", "create_comment"), accepts=frozenset({"message"})),
            "instagram.list_comments": Edge(call=("IGMedia", "get_comments"), fields_of="IGComment"),
            "instagram.media_insights": Edge(call=("IGMedia", "get_insights"), accepts=frozenset({"metric", "period"})),
            "instagram.delete_media": Edge(call=("IGMedia", "api_delete")),
        },
    ),
    Network(
        platform="facebook",
        cases=facebook.CASES,
        edges={
            "facebook.create_post": Edge(call=("Page", "create_feed"), accepts=ACCEPTED["create_post"]),
            "facebook.create_photo": Edge(call=("Page", "create_photo"), accepts=ACCEPTED["create_photo"]),
            "facebook.create_video": Edge(call=("Page", "create_video"), accepts=ACCEPTED["create_video"]),
            "facebook.start_reel": Edge(call=("Page", "create_video_reel"), accepts=ACCEPTED["start"]),
            "facebook.finish_reel": Edge(call=("Page", "create_video_reel"), accepts=ACCEPTED["finish_reel"]),
            "facebook.start_story": Edge(call=("Page", "create_video_story"), accepts=ACCEPTED["start"]),
            "facebook.finish_story": Edge(call=("Page", "create_video_story"), accepts=ACCEPTED["finish_story"]),
            "facebook.photo_story": Edge(call=("Page", "create_photo_story"), accepts=ACCEPTED["photo_story"]),
            "facebook.list_posts": Edge(
                call=("Page", "get_published_posts"),
                fields_of="PagePost",
                exceptions={"since": "time paging works on every list of the Graph API"},
            ),
        },
    ),
)
EDGES = [pytest.param(edge, id=route) for network in NETWORKS for route, edge in network.edges.items()]


def sdk_class(name: str) -> type:
    """A class of the SDK; it has no types of its own, so that nothing else of it is touched."""
    found = getattr(importlib.import_module(f"facebook_business.adobjects.{name.lower()}"), name)
    assert isinstance(found, type)
    return found


def known_parameters(call: tuple[str, str]) -> frozenset[str]:
    """The names in the ``param_types`` table of one call."""
    source = textwrap.dedent(inspect.getsource(getattr(sdk_class(call[0]), call[1])))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if names == ["param_types"]:
                return frozenset(str(ast.literal_eval(key)) for key in node.value.keys if key is not None)
    raise AssertionError(f"{call} has no table of parameters")


def constants(owner: type, name: str) -> frozenset[str]:
    """The words that a class such as ``Field`` or ``Metric`` inside of an SDK class lists."""
    listed = vars(getattr(owner, name))
    return frozenset(value for key, value in listed.items() if not key.startswith("_") and isinstance(value, str))


@pytest.mark.parametrize("edge", EDGES)
def test_what_the_twin_accepts_meta_knows(edge: Edge) -> None:
    known = known_parameters(edge.call)
    assert edge.accepts - known - edge.exceptions.keys() == set()
    assert edge.exceptions.keys() & known == set(), "an exception that is none any more"


def test_the_twins_fields_and_metrics_are_metas() -> None:
    assert set(reading.MEDIUM_FIELDS) - constants(sdk_class("IGMedia"), "Field") == {"children", "comments"}, "edges"
    assert set(reading.COMMENT_FIELDS) - constants(sdk_class("IGComment"), "Field") == set()
    assert constants(sdk_class("InstagramInsightsResult"), "Metric") >= insights.KNOWN


@pytest.fixture
async def world() -> AsyncIterator[tuple[Sandbox, FileServer]]:
    """A sandbox of its own, and a server of media."""
    with contextlib.closing(FileServer()) as files, running_sandbox() as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as control:
            yield Sandbox(url=url, control=control), files


async def everything(case: Case, adapter: Adapter, walk: Walk) -> None:
    """A whole publish that doubts every irreversible step; then its counts, and its end."""
    if not case.finds:
        await walk.finish()  # looking would never come to an end
        return
    while isinstance(step := walk.next(), Step):
        if step.irreversible:
            await walk.perform_and_forget(step)
            walk.publish = replace(walk.publish, in_doubt=step.name)
            await walk.settle()
        else:
            await walk.perform(step)
    assert step.platform_post_id is not None
    await adapter.read_counts(walk.publish.credentials, [step.platform_post_id])
    if walk.publish.credentials.login != "instagram":
        await adapter.delete(walk.publish.credentials, step.platform_post_id)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.platform)
async def test_what_the_adapter_sends_meta_knows(network: Network, world: tuple[Sandbox, FileServer]) -> None:
    sandbox, files = world
    sent: dict[str, set[str]] = {route: set() for route in network.edges}
    asked: dict[str, set[str]] = {route: set() for route in network.edges}
    made: set[str] = set()
    for case in network.cases:
        async with case.open_adapter(sandbox.url) as adapter:
            credentials = await sandbox.connect(case.platform, login=case.login)
            content = case.content(files, f"Against the SDK: {case.name}")
            await everything(case, adapter, new_walk(adapter, sandbox, files, content=content, credentials=credentials))
            for route, parameters in _received(await sandbox.calls(credentials, f"{network.platform}.*")):
                if route in network.edges:
                    made.add(route)
                    sent[route] |= parameters.keys()
                    asked[route] |= parse_fields(parameters.get("fields", "")).keys()
    assert made == network.edges.keys(), "an edge that nothing here calls"
    for route, edge in network.edges.items():
        known = known_parameters(edge.call) | GENERAL | edge.exceptions.keys()
        assert sent[route] - known == set(), route
        if edge.fields_of is not None:
            owner = sdk_class(edge.fields_of)
            edges = {name.removeprefix("get_") for name in vars(owner) if name.startswith("get_")}
            assert asked[route] - constants(owner, "Field") - edges == set(), route


def _received(calls: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, dict[str, str]]]:
    for call in calls:
        parameters = call["parameters"]
        assert isinstance(parameters, Mapping)
        yield str(call["route"]), {str(name): str(value) for name, value in parameters.items()}
