"""Clauses that change a draft: its words, what it is about, its photos, its format."""

import re

from agent.offline.drafting import about_words
from agent.offline.media import read_media
from agent.offline.options import read_options
from agent.offline.reading import Reading, Step, ask, say
from agent.offline.references import reference
from agent.offline.sentence import MARK, Sentence
from core.jsontypes import JsonValue

_OF = r"(?:\s+(?:of|on|for|in)\s+(?P<what>.{1,60}?))?"
_CAPTION = re.compile(
    r"(?:(?:change|set|update|edit|replace|rewrite|make|use|put|let|fix|have|give) )?(?:it )?(?:the |its |that "
    r"|this |a |new )*"
    r"(?:(?P<whose>it|.{1,50}? (?:post|draft|one)(?:'s)?) (?:a |the )?(?:new )?)?(?:caption|text|wording|words|copy)"
    rf"{_OF}(?: (?:read|say|be|is|should be|should say|to say|to read|to|with|as|for))?\s*:?\s*(?P<quote>{MARK})",
    re.IGNORECASE,
)
_SAY = re.compile(
    rf"(?:make|have|let|change|set|edit|update)?\s*(?P<what>it|this|that|.{{1,50}}? (?:post|draft"
    rf"|one))\s+(?:should |to |so it |so that it )*(?:say|says|read|reads"
    rf"|to)\s*:?\s*(?P<quote>{MARK})(?P<rest>\s+instead)?",
    re.IGNORECASE,
)
_OPEN_CAPTION = re.compile(
    rf"(?:change|edit|update|rewrite|fix|set|replace) (?:the |its )?(?:caption|text|wording|words|copy){_OF}",
    re.IGNORECASE,
)
_FORMAT = re.compile(
    r"(?:(?:make|turn|change|switch|convert|set)\s+(?P<what>it|this|that|the format|.{1,50}? (?:post|draft"
    r"|one))\s+(?:into|to|as|be)?\s*(?:a |an )?(?:single |instagram )?(?P<format>reel|story|carousel|image|photo"
    r"|picture)(?: post)?(?: instead)?)",
    re.IGNORECASE,
)
_AS_STORY = re.compile(
    r"(?:post|publish|share|put|use|make|do|turn|send|run)\s+(?P<what>it|this|that|.{1,50}? (?:post|draft"
    r"|one))(?: up| out)?"
    r" (?:as|into|to|in|on) (?:a|an|our|my|the) (?:instagram |facebook |insta |ig )?stor(?:y|ies)(?: instead)?",
    re.IGNORECASE,
)
_OPTION_EDIT = re.compile(
    r"(?:add|put|set|use|give it|include|invite|tag|make|have|with|and)?[\s,]*(?:(?:to|on|for) (?P<what>.{1,60}))?",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:make|rewrite|change|write|redo|edit|update|do)\s+(?P<what>it|this|that|the caption|the text"
    r"|.{1,50}? (?:post|draft|one))\s+(?:over |again |instead |so it's |so that it's |to be |be )*(?:about"
    r"|to talk about|to mention|mention)\s+(?P<about>.+)",
    re.IGNORECASE | re.DOTALL,
)
_MEDIA_VERB = re.compile(
    r"(?P<verb>use|add|attach|put|include|swap in|go with|take|insert|give it|set)\b", re.IGNORECASE
)
_SWAP = re.compile(
    r"(?:swap|replace|change|switch|update|exchange)\s+(?:out )?(?:the |its |that |this )?(?:photo|picture|image"
    r"|pic|video|media|clip)s?\s*(?:(?:of|on|in)\s+(?P<what>.{1,60}?)\s*)?(?:to|for|with|by)?\s*(?P<media>.*)",
    re.IGNORECASE | re.DOTALL,
)
_TO_POST = re.compile(r"^[\s,]*(?:(?:to|on|for|in|with|into)\s+)?(?P<what>.+?)[\s,]*\Z", re.IGNORECASE)
_INSTEAD = re.compile(
    r"[\s,]*\b(?:instead|please|now|then|too|as well|also|in|as|is|are|its|photos?|pictures?|images?)\Z"
    r"|^[\s,]*(?:use|add|attach|put|include|swap in|go with|take|insert|set|give it)\b",
    re.IGNORECASE,
)
_STYLE = re.compile(
    r"(?:make|keep|write|rewrite|redo|have|turn|do)\s+(?:it|this|that|the (?:caption|text|post"
    r"|tone))\b(?:\s+(?:sound|look|feel|be|a (?:bit|little|lot|touch)|much|way|so|more|less|even|slightly|in"
    r"|again|better))*\s*(?:funn\w+|short\w*|long\w*|casual\w*|formal\w*|friendl\w+|fun|better|wittier|punch\w+"
    r"|nicer|catch\w+|professional\w*|playful\w*|warm\w*|exciting|excited|engaging|snapp\w+|cool\w*|differently"
    r"|again|spanish|french|german|italian|english|(?!(?:earli|lat|soon)er\b)\w+er|more \w+|less \w+)?"
    r"|(?:shorten|lengthen|translate|improve|polish|rephrase|rewrite|reword|spice up|jazz up|tidy up|proofread)\b.*"
    r"|(?:add|put|remove|include|throw in|use) (?:some |a few |more |fewer |less |the |a couple of |a "
    r"|an )*(?:hashtags?|emojis?|call to action|cta|exclamation marks?|humou?r)\b.*",
    re.IGNORECASE,
)
_PART_EDIT = re.compile(
    rf"(?:add|append|put) (?:#\w+[\s,]*(?:and )?)+(?:(?:to|in|on|at)\b.*)?|"
    rf"(?:change|replace|swap)\s+{MARK}\s+(?:to|with|for|by|into)\s+{MARK}.*|(?:fix|correct) (?:the|a|that|my"
    rf"|this) (?:typo|spelling|mistake|grammar|error)s?\b.*",
    re.IGNORECASE,
)
_WHOLE_CAPTION = 'Give me the whole new caption in quotes, for example “change the caption to "Fresh beans are in."”.'
_OPEN_EDIT = re.compile(r"(?:edit|change|update) (?:it|this|that)", re.IGNORECASE)
_CANNOT_STYLE = (
    "I'm the offline model: I can't rewrite a text in another tone or language. Give me the exact words, for example "
    '“change the caption to "Fresh beans are in."”, or connect a language model.'
)


def read_edit(clause: str, sentence: Sentence) -> Reading:
    """Such as "change the caption to "…"", "use the latte photo instead", "make it a reel", "make it about …"."""
    edited = _read_options(clause, sentence)
    if edited.understood:
        return edited
    edited = _read_words(clause, sentence)
    if edited.understood:
        return edited
    if _PART_EDIT.fullmatch(clause):
        return say(_WHOLE_CAPTION)
    if _STYLE.fullmatch(clause):
        return say(_CANNOT_STYLE)
    if _OPEN_EDIT.fullmatch(clause):
        step = Step(command="edit_draft", arguments={"post_id": "it"})
        return ask(f"What shall I change? {_WHOLE_CAPTION}", "caption", step)
    return _read_media_change(clause, sentence)


def _read_options(clause: str, sentence: Sentence) -> Reading:
    """Such as "post it as a story", "add a first comment saying "…"", "add @roaster as a collaborator"."""
    if (story := _AS_STORY.fullmatch(clause)) is not None:
        return _edited(story["what"], sentence, format="story")
    if re.match(r"(?:add|put|set|use|give|include|invite|tag|make)\b", clause, re.IGNORECASE) is None:
        return Reading()
    read = read_options(clause, sentence)
    left = _OPTION_EDIT.fullmatch(read.rest) if read.values else None
    return _edited(left["what"], sentence, options=read.values) if left is not None else Reading()


def _read_words(clause: str, sentence: Sentence) -> Reading:
    """A change of the caption, of what it is about, or of the format."""
    for found, name in ((_CAPTION.fullmatch(clause), "whose"), (_SAY.fullmatch(clause), None)):
        if found is not None and (mark := sentence.mark(found["quote"])) is not None and mark.kind == "quote":
            return _edited(found["what"] or (found[name] if name else None), sentence, caption=mark.words)
    if (found := _FORMAT.fullmatch(clause)) is not None:
        kind = found["format"].lower()
        what = "it" if found["what"].lower() == "the format" else found["what"]
        return _edited(what, sentence, format="image" if kind in {"photo", "picture"} else kind)
    if (found := _ABOUT.fullmatch(clause)) is not None:
        what = "it" if found["what"].lower() in {"the caption", "the text"} else found["what"]
        return _edited(what, sentence, about=sentence.restored(about_words(found["about"])))
    if (found := _OPEN_CAPTION.fullmatch(clause)) is not None:
        edited = _edited(found["what"], sentence)
        words = "What should the caption say? Give me the exact words."
        return ask(words, "caption", *edited.steps) if edited.steps else edited
    return Reading()


def _read_media_change(clause: str, sentence: Sentence) -> Reading:
    swap = _SWAP.fullmatch(clause)
    verb = _MEDIA_VERB.match(clause)
    if swap is None and verb is None:
        return Reading()
    # "the latte one" is a photo where one is swapped for another.
    wanted = re.sub(r"\bone\Z", "photo", swap["media"]) if swap else ""
    read = read_media(f"use {wanted}" if swap else clause, sentence)
    rest = read.rest
    while (shorter := _INSTEAD.sub("", rest).strip(" ,.:")) != rest:
        rest = shorter
    said = _TO_POST.match(rest)
    what = (swap["what"] if swap else None) or (said["what"] if said else None) or "it"
    if read.media:
        return _edited(what, sentence, media=list(read.media))
    if swap is not None or read.vague:
        edited = _edited((swap["what"] if swap else None) or "it", sentence)
        return ask("Which photo? Give its link, upload it, or name one you uploaded.", "media", *edited.steps)
    return Reading()


def _edited(what: str | None, sentence: Sentence, **changes: JsonValue) -> Reading:
    target = reference(what or "it", sentence)
    if target is None:
        return ask(
            "Which draft shall I change? A code such as K7RMD or a few of its words will do.",
            "post",
            Step(command="edit_draft", arguments=changes),
        )
    step = Step(command="edit_draft", arguments={"post_id": target.words, **changes})
    if not target.sure:
        return ask(f"Shall I change the post “{target.words}”?", "yes", step)
    return Reading(steps=(step,))
