"""The writer behind ``core.ports.Writer``: words from the model, checked against a schema, repaired once or refused."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, ConfigDict, Field

from agent.handing_in import Task, hand_in
from core.ports import (
    Adapted,
    CaptionBrief,
    NetworkBrief,
    PlanBrief,
    RepurposeBrief,
    Repurposed,
    Topic,
    Topics,
    Variants,
    VariantsBrief,
    Written,
)

_WHY_LENGTH = 200  # characters


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


class _Caption(_Answer):
    text: str = Field(min_length=1, description="the caption, ready to be posted")


class _Version(_Answer):
    platform: str = Field(description="the network, as it was named")
    format: str = Field(description="one of the network's formats, as they were named")
    hook: str = Field(min_length=1, description="the first line")
    caption: str = Field("", description="what follows the hook")
    call_to_action: str = Field("", description="what the reader is asked to do; may be empty")
    hashtags: tuple[str, ...] = Field((), max_length=30, description="words, with or without #")


class _Versions(_Answer):
    versions: tuple[_Version, ...] = Field(description="one version per network")


class _Topic(_Answer):
    topic: str = Field(min_length=1, max_length=200, description="what it is about, in a few words")
    caption: str = Field(min_length=1, description="the caption, ready to be posted")
    why: str = Field(min_length=1, max_length=_WHY_LENGTH, description="why this, in one clause")


class _Topics(_Answer):
    items: tuple[_Topic, ...] = Field(description="one post per place, in the order of the places")


class _Captions(_Answer):
    captions: tuple[str, ...] = Field(description="the captions, ready to be posted")


@cache
def _words(name: str) -> str:
    return (Path(__file__).parent / "prompts" / f"{name}.md").read_text(encoding="utf-8").strip()


class ModelWriter:
    """Writes with a chat model. Raises ``Unavailable`` when it gives nothing usable: nothing half-made is returned."""

    def __init__(self, model: BaseChatModel, *, name: str, silence: float) -> None:
        self._model = model
        self._rests_on = f"written by {name}"
        self._silence = silence

    async def caption(self, brief: CaptionBrief) -> Written:
        """A caption within the brief's limit (characters)."""
        system = _words("caption").format(
            platform=brief.platform, format=brief.format, limit=brief.limit, voice=_voice(brief.voice)
        )
        task = Task(
            tool="write_caption",
            shows="Hand in the caption.",
            noun="caption",
            answer=_Caption,
            check=lambda caption: _too_long("That", len(caption.text), brief.limit),
        )
        caption = await hand_in(self._model, task, system=system, text=brief.about, silence=self._silence)
        return Written(text=caption.text, rests_on=self._rests_on)

    async def repurpose(self, brief: RepurposeBrief) -> Repurposed:
        """The post in the words of each network; a version's length is the network's own count of all its parts."""
        listed = "\n".join(f"{_place(each)}, as {' or '.join(each.formats)}" for each in brief.networks)
        system = _words("repurpose").format(platform=brief.platform, networks=listed, voice=_voice(brief.voice))
        task = Task(
            tool="write_versions",
            shows="Hand in one version per network.",
            noun="versions",
            answer=_Versions,
            check=lambda answer: _versions_problem(answer, brief.networks),
        )
        answer = await hand_in(self._model, task, system=system, text=brief.text, silence=self._silence)
        by_platform = {version.platform.lower(): _adapted(version) for version in answer.versions}
        versions = tuple(by_platform[network.platform] for network in brief.networks)
        return Repurposed(versions=versions, rests_on=self._rests_on)

    async def topics(self, brief: PlanBrief) -> Topics:
        """A topic for every place, each caption within the place's own count."""
        listed = "\n".join(f"{number}. {_place(place)[2:]}" for number, place in enumerate(brief.places, 1))
        recent = "\n".join(f"- {' '.join(text.split())[:200]}" for text in brief.history)
        system = _words("topics").format(
            places=listed,
            themes=f"The themes to keep to: {'; '.join(brief.themes)}." if brief.themes else "No themes were named.",
            history="The brand's recent posts are in the message." if recent else "There are no recent posts.",
            voice=_voice(brief.voice),
        )
        task = Task(
            tool="propose_topics",
            shows="Hand in one post per place.",
            noun="topics",
            answer=_Topics,
            check=lambda answer: _topics_problem(answer, brief.places),
        )
        text = f"Recent posts:\n{recent}" if recent else "Propose the posts."
        answer = await hand_in(self._model, task, system=system, text=text, silence=self._silence)
        items = tuple(Topic(topic=each.topic, caption=each.caption, why=each.why) for each in answer.items)
        return Topics(items=items, rests_on=self._rests_on)

    async def variants(self, brief: VariantsBrief) -> Variants:
        """Other captions for the same post, all different, within the network's own count."""
        aim = f"What is to be found out: {brief.hypothesis}" if brief.hypothesis else ""
        system = _words("variants").format(
            platform=brief.network.platform,
            count=brief.count,
            limit=brief.network.limit,
            hypothesis=aim,
            voice=_voice(brief.voice),
        )
        task = Task(
            tool="write_variants",
            shows="Hand in the captions.",
            noun="captions",
            answer=_Captions,
            check=lambda answer: _captions_problem(answer, brief),
        )
        answer = await hand_in(self._model, task, system=system, text=brief.text, silence=self._silence)
        return Variants(captions=tuple(text.strip() for text in answer.captions), rests_on=self._rests_on)


def _voice(voice: str | None) -> str:
    return f"The brand's voice: {voice}" if voice else ""


def _place(network: NetworkBrief) -> str:
    return f"- {network.platform}: at most {network.limit} characters"


def _too_long(what: str, length: int, limit: int) -> str:
    return f"{what} has {length} characters; at most {limit} are allowed." if length > limit else ""


def _adapted(version: _Version) -> Adapted:
    return Adapted(
        platform=version.platform.lower(),
        format=version.format.lower(),
        hook=version.hook,
        caption=version.caption,
        call_to_action=version.call_to_action,
        hashtags=tuple(f"#{bare}" for tag in version.hashtags if (bare := tag.replace(" ", "").lstrip("#"))),
    )


def _versions_problem(answer: _Versions, networks: Sequence[NetworkBrief]) -> str:
    """What is wrong with the versions, the first thing of it."""
    by_platform = {version.platform.lower(): _adapted(version) for version in answer.versions}
    for network in networks:
        version = by_platform.get(network.platform)
        if version is None:
            return f"The version for {network.platform} is missing."
        if version.format not in network.formats:
            return f"The format for {network.platform} has to be {' or '.join(network.formats)}."
        length = network.count(version.text)
        if problem := _too_long(f"The version for {network.platform}", length, network.limit):
            return problem
    return ""


def _topics_problem(answer: _Topics, places: Sequence[NetworkBrief]) -> str:
    if len(answer.items) != len(places):
        return f"Those are {len(answer.items)} posts; {len(places)} are wanted."
    if len({item.topic.casefold() for item in answer.items}) < len(places):
        return "Two of the posts have the same topic."
    checked = (
        _too_long(f"Caption {number}", place.count(item.caption), place.limit)
        for number, (item, place) in enumerate(zip(answer.items, places, strict=True), 1)
    )
    return next((problem for problem in checked if problem), "")


def _captions_problem(answer: _Captions, brief: VariantsBrief) -> str:
    captions = [text.strip() for text in answer.captions]
    if len(captions) != brief.count:
        return f"Those are {len(captions)} captions; {brief.count} are wanted."
    if not all(captions) or len({*captions, brief.text.strip()}) <= brief.count:
        return "Every caption has to have words, and to differ from the post's and from the others."
    lengths = (_too_long("A caption", brief.network.count(text), brief.network.limit) for text in captions)
    return next((problem for problem in lengths if problem), "")
