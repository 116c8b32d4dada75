"""The offline writer: words from templates and from what there is already, without a model and without new facts."""

from agent.offline import adapting
from agent.offline.captions import fitted, parts_of
from core.errors import InvalidInput
from core.ports import (
    CaptionBrief,
    PlanBrief,
    RepurposeBrief,
    Repurposed,
    Topics,
    Variants,
    VariantsBrief,
    Written,
)

RESTS_ON = "your words in the offline writer's template"
_ADAPTED = "the post's own words, fitted by the offline writer"
_SHORTEST = 12  # characters: below it not even one word and a stop fit


class OfflineWriter:
    """Writes without a model; the same brief always gives the same words."""

    async def caption(self, brief: CaptionBrief) -> Written:
        """A caption within ``brief.limit`` characters. Raises InvalidInput: an empty brief, a tiny limit."""
        about = _words(brief.about)
        if brief.limit < _SHORTEST:
            raise InvalidInput(f"A caption of {brief.limit} characters is too short to write.", code="limit_too_small")
        return Written(text=fitted(parts_of(about, brief), brief.limit), rests_on=RESTS_ON)

    async def repurpose(self, brief: RepurposeBrief) -> Repurposed:
        """The post's own sentences for each network: what does not fit is left out, hashtags first."""
        _words(brief.text)
        versions = tuple(adapting.adapted(brief.text, network) for network in brief.networks)
        return Repurposed(versions=versions, rests_on=_ADAPTED)

    async def topics(self, brief: PlanBrief) -> Topics:
        """The themes, else what recent posts spoke of, else topics that claim nothing; captions from the templates."""

        def write(topic: str) -> str:
            about = " ".join(topic.split()).strip(" .,;:!?") or "a question for you"
            place = brief.places[0]
            written = CaptionBrief(about=about, platform=place.platform, format=place.formats[0], limit=2200)
            return fitted(parts_of(about, written), 2200)

        words = adapting.topic_words(brief.themes, brief.history)
        return Topics(items=tuple(adapting.topics(brief.places, words, write)), rests_on=RESTS_ON)

    async def variants(self, brief: VariantsBrief) -> Variants:
        """The caption's own sentences, told shorter or from another beginning."""
        _words(brief.text)
        captions = adapting.variants(brief.text, brief.count, brief.network)
        return Variants(captions=tuple(captions), rests_on=_ADAPTED)


def _words(text: str) -> str:
    words = " ".join(text.split()).strip(" .,;:!?")
    if not words:
        raise InvalidInput("There is nothing to write about: say what the post is about.", code="brief_empty")
    return words
