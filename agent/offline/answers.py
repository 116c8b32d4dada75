"""What an answer to a question of ours completes: a yes, a time, a choice, a subject, a photo, exact words."""

import re

from agent.offline.clauses import bare
from agent.offline.drafting import about_words
from agent.offline.experiments import varied
from agent.offline.fitting import crop_named
from agent.offline.media import only_media
from agent.offline.moments import time_phrases
from agent.offline.networks import NETWORK, mentioned
from agent.offline.reading import Option, Question, Reading, Step, ask, say
from agent.offline.references import is_plural, reference
from agent.offline.sentence import Sentence, take_apart
from agent.offline.talk import is_no, is_yes
from core.jsontypes import JsonValue
from core.when.resolve import completed

_LONGEST_CROP = 6  # words of an answer to "how shall it be fitted?"
_LEFT_ALONE = "All right, I left everything as it is."
_ORDINALS = {
    word: place
    for place, words in enumerate(
        ("first 1st one former", "second 2nd two", "third 3rd three", "fourth 4th four", "fifth 5th five")
    )
    for word in words.split()
}
_ORDINAL = re.compile(
    r"(?:the |number |no\.? |option |#|it's |i mean |i meant |take )*(first|second|third|fourth|fifth|1st|2nd|3rd"
    r"|4th|5th|last|former|latter|other|one|two|three|four|five|[1-9])(?:\.|\))?(?: one| post| draft| option"
    r"| please| of those)*",
    re.IGNORECASE,
)
_TIME_LEAD = re.compile(
    r"(?:let'?s (?:say|do|go with|make it)|say|maybe|how about|what about|make it|make that|try|do|schedule it"
    r"|put it|it|that|and then|and|then|at|on|for|to|by|around|about|just|i'd say|post it|move it|go with|i think"
    r"|probably|works|is fine|is good|would be (?:good|great|perfect|nice)|please|instead|\W)+",
    re.IGNORECASE,
)
# Around a time that answers no question: "and then an hour later".
LONE_TIME_LEAD = re.compile(r"(?:and then|and|then|maybe|at|on|for|to|by|around|please|\W)+", re.IGNORECASE)
_MEAN = re.compile(
    r"(?:i mean|i meant|it's|its|about|it should be about|it is about|make it about|something about|on|the one"
    r"|for|let'?s say|say|how about|what about|maybe)\s+",
    re.IGNORECASE,
)


def complete(question: Question, message: str) -> Reading | None:
    """The plan that the answer completes, or None when the message is no answer to this question."""
    sentence = take_apart(message)
    text = bare(sentence.text)
    if is_no(message.strip()) and question.missing != "caption":
        return say(_LEFT_ALONE)
    if question.missing == "yes":
        return Reading(steps=question.steps) if is_yes(message.strip()) else None
    if question.missing == "when":
        return _with_time(question, text)
    if question.missing == "caption":
        return _with_caption(question, message, sentence)
    return _COMPLETIONS[question.missing](question, text, sentence)


def _filled(question: Question, **more: JsonValue) -> Reading:
    steps = list(question.steps)
    steps[question.at] = steps[question.at].having(**more)
    return still_lacking(tuple(steps))


def still_lacking(steps: tuple[Step, ...]) -> Reading:
    """The plan, or the question for the next thing that one of its steps lacks."""
    for at, step in enumerate(steps):
        if step.command in {"schedule_post", "move_post", "move_posts"} and "when" not in step.arguments:
            return ask("When? For example “Friday at 9am”.", "when", *steps, at=at)
        if step.command == "create_draft" and not {"about", "caption"} & set(step.arguments) and not _is_story(step):
            return ask("What should the post be about?", "about", *steps, at=at)
        if step.command == "edit_draft" and set(step.arguments) == {"post_id"}:
            return ask("What should I change: the caption, the photo or the format?", "post", *steps, at=at)
    return Reading(steps=steps)


def _is_story(step: Step) -> bool:
    return step.arguments.get("format") == "story" and "media" in step.arguments


def bare_time(text: str, lead: re.Pattern[str] = _TIME_LEAD) -> str | None:
    """The phrase of time when a text is nothing else but what ``lead`` allows around it, else None."""
    found = time_phrases(text)
    if len(found) != 1:
        return None
    around = f"{text[: found[0].start]} {text[found[0].end :]}"
    left = lead.sub(" ", around).strip()
    return found[0].words if not left else None


def _with_time(question: Question, text: str) -> Reading | None:
    said = question.steps[question.at].arguments.get("when")
    phrase = bare_time(text)
    if phrase is None:
        # A bare number is an hour only in answer to "when?"; the server says so if it is none.
        hour = re.fullmatch(r"(?:at )?(\d{1,2}(?:[:.]\d{2})?)(?: o'?clock)?", text, re.IGNORECASE)
        phrase = f"at {hour[1]}" if hour else None
    if phrase is None:
        return None
    return _filled(question, when=completed(said, phrase) if isinstance(said, str) else phrase)


def _with_choice(question: Question, text: str, sentence: Sentence) -> Reading | None:
    if is_plural(text):
        return ask("One at a time, please: which one first?", question.missing, *question.steps, at=question.at)
    chosen = _chosen(question.options, text)
    if chosen is not None:
        return _filled(question, **{question.field: chosen.id})
    if question.field == "when" and (phrase := bare_time(text)) is not None:
        return _filled(question, when=phrase)
    if question.field == "post_id":
        return _with_post(question, text, sentence, sure_only=True)
    return None


def _chosen(options: tuple[Option, ...], text: str) -> Option | None:
    """The option that an ordinal, a code or words of one label alone point at."""
    ordinal = _ORDINAL.fullmatch(text.strip(" .!,"))
    if ordinal is not None:
        word = ordinal[1].lower()
        if word in {"last", "latter"}:
            return options[-1] if options else None
        if word == "other":
            return None
        at = int(word) - 1 if word.isdigit() else _ORDINALS[word]
        return options[at] if at < len(options) else None
    wanted = [word for word in re.findall(r"[\w:]+", text.lower()) if word not in _SMALL]
    if not wanted:
        return None
    matching = [option for option in options if set(wanted) <= set(re.findall(r"[\w:]+", option.label.lower()))]
    return matching[0] if len(matching) == 1 else None


_SMALL = frozenset("the a an one post draft my our i mean meant it is about that this on for with of at please".split())


def _with_post(question: Question, text: str, sentence: Sentence, *, sure_only: bool = False) -> Reading | None:
    said = _MEAN.sub("", text, count=1) if _MEAN.match(text) else text
    target = reference(text, sentence) or reference(said, sentence)
    if target is None or (sure_only and not target.sure):
        return None
    return _filled(question, post_id=target.words)


def _with_about(question: Question, text: str, sentence: Sentence) -> Reading | None:
    if "\n" not in text and len(text) == 1 and (mark := sentence.mark(text)) is not None and mark.kind == "quote":
        return _filled(question, caption=mark.words)
    about = sentence.restored(about_words(_MEAN.sub("", text, count=1) if _MEAN.match(text) else text))
    return _filled(question, about=about) if about else None


def _with_media(question: Question, text: str, sentence: Sentence) -> Reading | None:
    if sentence.attachments and not text:
        return _filled(question, media=[{"asset_id": attachment.asset_id} for attachment in sentence.attachments])
    if re.fullmatch(r"(?:none|no photo|no picture|without(?: (?:a |one|any).*)?)", text, re.IGNORECASE):
        return still_lacking(question.steps)
    named = only_media(
        text if re.match(r"(?:the|my|our|that|this|a|an)\b", text, re.IGNORECASE) else f"the {text}", sentence
    )
    found = only_media(text, sentence) or named
    if found is None and re.fullmatch(
        r"(?:use |take )?(?:the |my |our )?[\w'-]+(?: [\w'-]+)?(?: one)?", text, re.IGNORECASE
    ):
        words = re.sub(r"\A(?:use |take )?(?:the |my |our )?|(?: one)\Z", "", text, flags=re.IGNORECASE)
        return _filled(question, media=[{"asset_id": words}])
    return _filled(question, media=list(found.media)) if found else None


def _with_caption(question: Question, message: str, sentence: Sentence) -> Reading | None:
    quotes = [mark.words for mark in sentence.marks if mark.kind == "quote"]
    words = quotes[0] if len(quotes) == 1 else message.strip()
    if is_no(words) or not words:
        return say(_LEFT_ALONE)
    return _filled(question, caption=words)


def _with_platforms(question: Question, text: str, _sentence: Sentence) -> Reading | None:
    names = mentioned(text)
    around = re.sub(rf"\b(?:{NETWORK}|and|for|on|to|both|the|our|please)\b|\W", "", text, flags=re.IGNORECASE)
    platforms: list[JsonValue] = [name.lower() for name in names]
    return _filled(question, platforms=platforms) if names and not around else None


def _with_vary(question: Question, text: str, _sentence: Sentence) -> Reading | None:
    kind = varied(re.sub(r"\A(?:the|its|vary) |\A(?:vary) the ", "", text, flags=re.IGNORECASE))
    return _filled(question, vary=kind) if kind else None


def _with_crop(question: Question, text: str, _sentence: Sentence) -> Reading | None:
    crop = crop_named(text) if len(text.split()) <= _LONGEST_CROP else None
    return _filled(question, crop=crop) if crop else None


_COMPLETIONS = {
    "platforms": _with_platforms,
    "vary": _with_vary,
    "crop": _with_crop,
    "choice": _with_choice,
    "post": _with_post,
    "about": _with_about,
    "media": _with_media,
}
