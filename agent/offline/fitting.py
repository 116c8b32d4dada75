"""Clauses that fit a post's photo to its format: "crop it to fill", "put a border around it"."""

import re

from agent.offline.reading import Reading, Step, ask
from agent.offline.references import Reference, reference
from agent.offline.sentence import Sentence
from agent.offline.surroundings import Surroundings

_PHOTO = r"(?:photo|image|picture|pic|video|clip|shot)"
_WHAT = r"(?P<what>.{1,70}?)"
_WHAT_MADE = "(?P<made>.{1,70}?)"
_SHAPE = r"(?:square|portrait|landscape|vertical|\d{1,2}:\d{1,2})"
_FRAME = r"(?:the )?(?:whole )?(?:frame|square|feed|screen|format|space|area)"
_BORDER = r"(?:a |an |some |the )?(?:nice |white |black |thin |wide |plain |blurred )*borders?"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (crop, re.compile(pattern, re.IGNORECASE))
    for crop, pattern in (
        ("smart", rf"(?:smart[- ]?crop|auto[- ]?crop) {_WHAT}"),
        (
            "smart",
            (
                rf"(?:crop|fit|trim) {_WHAT} (?:smartly|automatically|cleverly|intelligently|around the (?:subject"
                rf"|face)s?)"
            ),
        ),
        ("smart", rf"(?:do|use|apply|make) a smart[- ]crop(?: (?:on|for|of|to) {_WHAT})?"),
        ("smart", rf"use smart crop(?:ping)?(?: (?:on|for) {_WHAT})?"),
        (
            "fill",
            (
                rf"(?:crop|resize|scale|trim|stretch|fit|cut) {_WHAT} (?:so (?:that )?it fills|to fill"
                rf"|until it fills)(?: {_FRAME})?"
            ),
        ),
        ("fill", rf"(?:make|let|have) {_WHAT} fill(?: {_FRAME})?"),
        ("fill", rf"fill {_FRAME}(?: with {_WHAT})?"),
        ("border", rf"(?:fit|pad|frame|resize|put|show) {_WHAT} (?:with|in|inside|using) {_BORDER}"),
        ("border", rf"(?:put|add|draw|use|set) {_BORDER}(?: (?:around|to|on|onto|for|with) {_WHAT})?"),
        ("border", rf"give {_WHAT} {_BORDER}"),
        ("fill", rf"cent(?:er|re)[- ]crop {_WHAT}"),
        ("border", rf"(?:letterbox|pad) {_WHAT}"),
    )
)
_OPEN = re.compile(
    rf"crop(?: {_WHAT})??(?: (?:to|into|as) (?:a )?{_SHAPE})?|make {_WHAT_MADE} (?:a )?{_SHAPE}", re.IGNORECASE
)
_POSITION = re.compile(
    r"[\s,]*\b(?:(?:and |but )?(?:keep(?:ing)?|from|at|on|focus(?:ed|ing|sing)? on|towards?|aligned to"
    r"|anchored (?:at|to))"
    r"(?: it)?(?: (?:at|on|to))?(?: the)?) (?P<position>top|bottom|left|right|center|centre|middle)\b(?: (?:part"
    r"|half|side|edge))?",
    re.IGNORECASE,
)
_MIDDLE = frozenset({"center", "centre", "middle"})
_COMPLAINT = re.compile(
    rf"(?:it|this|that|the {_PHOTO}|the post)(?:'s| is| looks) (?:a bit |way |far |much )?(?:too \w+|cut off|the wrong"
    r" (?:shape|size|ratio|format))\s*(?:,|;|-|\.| so)+\s*(?:so |please |can you |could you )*",
    re.IGNORECASE,
)
_OF_POST = re.compile(rf"(?:the |its |this |that )?{_PHOTO}s? (?:of|in|on|for) (?P<post>.+)", re.IGNORECASE)
_ONLY_PHOTO = re.compile(rf"(?:the |its |this |that |my |our )?{_PHOTO}s?", re.IGNORECASE)
_NAMED_PHOTO = re.compile(rf"(?P<name>(?:the |my |our ).+?)(?:'s)? {_PHOTO}", re.IGNORECASE)


def without_complaint(text: str) -> str:
    """The text without the reason in front: "it's too wide, put a border around it"."""
    return _COMPLAINT.sub("", text, count=1)


def read_fit(clause: str, sentence: Sentence, around: Surroundings) -> Reading:
    """How the photo of a post is fitted; a bare "crop it" is asked about."""
    if not around.has("fit_media"):
        return Reading()
    placed = _POSITION.search(clause)
    text = f"{clause[: placed.start()]}{clause[placed.end() :]}".strip(" ,") if placed else clause
    crop, found = next(
        ((crop, match) for crop, pattern in _PATTERNS if (match := pattern.fullmatch(text))),
        (None, _OPEN.fullmatch(text)),
    )
    if found is None:
        return Reading()
    target = _post(found.groupdict().get("made") or found.groupdict().get("what") or "it", sentence)
    if target is None or not target.sure:
        return Reading()
    step = Step(command="fit_media", arguments={"post_id": target.words})
    step = step if crop is None else step.having(crop=crop)
    if placed is not None and placed["position"].lower() not in _MIDDLE:
        return ask(
            "No side can be kept: “fill” cuts from the middle, “smart” where there is most to see. Which?", "crop", step
        )
    if crop is None:
        return ask("How: crop it to fill, fit it with a border, or a smart crop?", "crop", step)
    return Reading(steps=(step,))


def crop_named(text: str) -> str | None:
    """The way of fitting that an answer names ("a border", "fill"); None for anything else."""
    for crop, words in (("border", r"border"), ("smart", r"smart"), ("fill", r"fill")):
        if re.search(rf"\b{words}\b", text, re.IGNORECASE):
            return crop
    return None


def _post(words: str, sentence: Sentence) -> Reference | None:
    """The post whose photo is meant: "the photo of the brunch post", "the espresso photo", "it"."""
    if _ONLY_PHOTO.fullmatch(words):
        return Reference(words="it")
    if (of_post := _OF_POST.fullmatch(words)) is not None:
        return reference(of_post["post"], sentence)
    if (named := _NAMED_PHOTO.fullmatch(words)) is not None:
        return reference(f"{named['name']} post", sentence)
    return reference(words, sentence)
