"""Clauses that make a draft or change one: what it is about, its exact words, its photos, network and format."""

import re
from dataclasses import dataclass, field

from agent.offline.heads import Head, read_head
from agent.offline.media import only_media, read_media
from agent.offline.moments import TimePhrase, time_phrases
from agent.offline.networks import aimed_at, network_name
from agent.offline.options import read_options
from agent.offline.reading import MADE, Reading, Step, ask
from agent.offline.sentence import MARK, Sentence
from core.jsontypes import JsonValue

_VERB = re.compile(
    r"(?:draft up|draft|write up|write|create|make|compose|prepare|prep|put together|come up with|whip up|cook up"
    r"|knock up|knock out|generate|design|craft|start|do|produce|build|get going on"
    r"|(?:i|we)(?:'d| would)? (?:like|love|need|want|could use)|need|want|give|get|have|add)\b\s*(?:me |us |up )?",
    re.IGNORECASE,
)
_SEND_VERB = re.compile(
    r"(?P<verb>schedule|queue|plan|book|publish|post|share|send out|put out|announce|promote|advertise|plug"
    r"|tell (?:people|everyone|everybody|customers|folks|our (?:followers|customers|guests|fans))(?: that)?)\b\s*",
    re.IGNORECASE,
)
_MEDIA_FIRST = re.compile(
    r"(?:use|take|with)\s+(?P<media>.{1,160}?),?\s+(?:for|in|to make|make|draft|write|create)\s+(?P<post>(?:a|an"
    r"|another)\b.+)",
    re.IGNORECASE | re.DOTALL,
)
_SENT_QUOTE = re.compile(rf"(?:this|these words|the words|the following)?\s*:?\s*(?P<quote>{MARK})", re.IGNORECASE)
_AT_ONCE = re.compile(r"[\s,]+(?:right now|now|immediately|right away|asap)\Z", re.IGNORECASE)
_IS_POST = re.compile(r"\b(?:posts?|draft|reel|carousel|something|announcement|teaser)\b", re.IGNORECASE)
_ALT_TEXT = re.compile(r"\balt(?:ernative)?[ -]?text\W*(?:is|to|of|as|:)?\W*\Z", re.IGNORECASE)
_ABOUT = re.compile(
    r"^[\s,:-]*(?:to )?(?:about|on|announcing|announce|introducing|introduce|featuring|celebrating|celebrate"
    r"|promoting|promote|advertising|advertise|showing off|showing|regarding|re|telling people about|tell people about"
    r"|telling (?:people|everyone|customers|folks) (?:that )?|tell (?:people|everyone|customers|folks) (?:that )?"
    r"|saying (?:that )?|that says (?:that )?|describing|mentioning|highlighting|inviting people to"
    r"|to invite people to|of|for|teasing|explaining|that's about|that is about|which is about|with)\b[\s:]*",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\s*(?:\b(?:for|on|to|as|from|in|under|using)\s+(?:the |our "
    r"|my )?(?:account )?)?(?<![\w.])@([A-Za-z0-9_](?:[\w.-]{0,60}\w)?)(?: account)?",
    re.IGNORECASE,
)
_SAYS = re.compile(
    rf"[\s,:-]*(?:\b(?:and )?(?:saying|that says|which says|says|reading|that reads|with|use|using|captioned"
    rf"|it should say|make it say)\b\s*)?(?:\b(?:this |the |following |exact |as )*(?:caption|text|words"
    rf"|wording)\b(?:\s+(?:is|to|as|should be|that says|saying))?)?\s*:?\s*(?P<quote>{MARK})",
    re.IGNORECASE,
)
_EMPTY_ABOUT = frozenset("it this that them something things stuff please".split()) | {
    "",
    "me",
    "us",
    "now",
    "later",
    "it all",
    "ready",
    "ideas",
}
# Formats that follow from the media there, whatever a person calls them.
_NOT_SAID_THERE = {"TikTok": frozenset({"reel", "image"}), "Bluesky": frozenset({"carousel", "image"})}
_LONGEST_MEDIA = 200  # characters; more is no mere naming of a photo
_NOTHING = re.compile(r"[\s,.:;!?-]*\Z")
_WHICH_PHOTO = "Which photo? Give its link, upload it, or name one you uploaded."
_WHAT_ABOUT = "What should the post be about?"


@dataclass(kw_only=True)
class _Draft:
    """What a clause says about a new post, gathered piece by piece."""

    rest: str
    caveat: str = ""
    arguments: dict[str, JsonValue] = field(default_factory=dict)
    networks: list[str] = field(default_factory=list)
    vague_photo: bool = False


def read_create(clause: str, sentence: Sentence, context: str = "") -> Reading:
    """Such as "draft a post about …", "new reel: …", "schedule a post about … for Friday at 9am".

    ``context`` is what was told before the command ("We have a new blend. Draft a post about it.").
    """
    if (link_first := re.match(rf"({MARK})\s*(?=\w)", clause)) is not None:
        clause = f"{clause[link_first.end() :]} using {link_first[1]}"
    if (media_first := _MEDIA_FIRST.fullmatch(clause)) is not None:
        clause = f"draft {media_first['post']} using {media_first['media']}"
    if (sent := _SEND_VERB.match(clause)) is not None:
        return _read_sent(clause, sent, sentence, context)
    verb = _VERB.match(clause)
    head = read_head(clause[verb.end() :] if verb else clause)
    if not head.noun and (object_alone := _drafted_object(clause, verb, sentence)) is not None:
        return object_alone
    named = clause[: len(clause) - len(head.rest)]
    begins = _begins_draft(named, head, verb.group().split()[0].lower()) if verb else _is_title(named, head)
    return _drafted(_gather(head, sentence), sentence, context) if begins else Reading()


def _begins_draft(named: str, head: Head, verb: str) -> bool:
    """Whether a verb and what it names begin a new post: "make a reel about …", not "make the caption “…”"."""
    if verb in {"add", "use", "get", "have", "give"} and not _IS_POST.search(named):
        return False
    if not head.noun:
        return verb in {"draft", "write"} and (
            _ABOUT.match(head.rest) is not None or head.rest.lstrip().startswith(":")
        )
    return head.indefinite or (_names_content(head.rest) and not _is_caption_change(named, head))


def _is_title(named: str, head: Head) -> bool:
    """Whether a clause without a verb names a new post: "Instagram post about …", not "caption: …"."""
    is_caption = re.match(r"(?:caption|text|copy|message)\b", named, re.IGNORECASE) is not None
    if head.networks and all(network_name(word) for word in re.findall(r"\w+", named)):
        return _names_content(head.rest)  # "Instagram is down" names no post
    return head.noun and head.indefinite and not is_caption and _NOTHING.match(head.rest) is None


def _drafted_object(clause: str, verb: re.Match[str] | None, sentence: Sentence) -> Reading | None:
    """Such as "draft the espresso blend": probably a post about it, so it is asked."""
    if verb is None or verb.group().strip().lower() not in {"draft", "draft up"}:
        return None
    rest = clause[verb.end() :].strip()
    if not rest or _ABOUT.match(rest) or rest.startswith(":") or rest.lower() in _EMPTY_ABOUT or len(rest.split()) > 8:  # noqa: PLR2004
        return None
    about = sentence.restored(rest)
    return ask(
        f"Shall I draft a post about “{about}”?", "yes", Step(command="create_draft", arguments={"about": about})
    )


def _is_caption_change(named: str, head: Head) -> bool:
    """Such as "make the caption “…”" changes a draft, while "write the caption about …" begins one."""
    return named.rstrip().lower().endswith(("caption", "text", "copy")) and _ABOUT.match(head.rest) is None


def _names_content(rest: str) -> bool:
    """Whether what follows "the post" says what to write: "draft the post about …", not "make the post a reel"."""
    return (
        _ABOUT.match(rest) is not None
        or re.match(rf"\s*(?::|{MARK})", rest) is not None
        or _SAYS.match(rest) is not None
    )


def _read_sent(clause: str, sent: re.Match[str], sentence: Sentence, context: str) -> Reading:
    """Such as "schedule a post about …", "post about …", "announce our …": a draft first, then its time."""
    verb, rest = sent["verb"].lower(), clause[sent.end() :]
    quoted = _SENT_QUOTE.match(rest)
    if quoted is not None and (mark := sentence.mark(quoted["quote"])) is not None and mark.kind == "quote":
        rest = f"a post: {rest[quoted.start('quote') :]}"
    if verb in {"announce", "promote", "advertise", "plug"} or verb.startswith("tell"):
        return _drafted(_gather(Head(rest=f" about {rest}"), sentence), sentence, context) if rest else Reading()
    head = read_head(rest)
    is_new = head.indefinite and head.noun and _names_content(head.rest)
    if not is_new and not (verb == "post" and re.match(r"about\b|:", rest, re.IGNORECASE)):
        return Reading()
    found = time_phrases(head.rest)
    phrase = found[-1] if found and _is_time_to_send(verb, found[-1]) else None
    if phrase is not None and not phrase.is_shift and _NOTHING.match(head.rest[phrase.end :]):
        head = head.cut(phrase.start)
    else:
        phrase = None
    now = _AT_ONCE.search(head.rest)
    made = _drafted(_gather(head.cut(now.start()) if now else head, sentence), sentence, context)
    return _followed(made, verb, phrase.words if phrase else None, now=now is not None)


def _is_time_to_send(verb: str, phrase: TimePhrase) -> bool:
    """Whether the time is the post's: "share a post about the run on Saturday" tells of the run."""
    return (
        verb in {"schedule", "queue", "plan", "book"} or re.search(r"\d|noon|midnight|slot", phrase.words) is not None
    )


def _followed(made: Reading, verb: str, when: str | None, *, now: bool) -> Reading:
    """The draft and what is done with it: its time, its publication, or nothing more."""
    after: tuple[Step, ...] = ()
    if when is not None:
        after = (Step(command="schedule_post", arguments={"post_id": MADE, "when": when}),)
    elif now or verb == "publish":
        after = (Step(command="publish_post", arguments={"post_id": MADE}),)
    if made.question is not None:
        question = made.question
        return ask(question.text, question.missing, *question.steps, *after, at=question.at)
    if not made.steps:
        return made
    if not after and verb in {"schedule", "queue", "plan", "book"}:
        later = Step(command="schedule_post", arguments={"post_id": MADE})
        return ask(
            "When shall I schedule it? For example “Friday at 9am”.", "when", *made.steps, later, at=len(made.steps)
        )
    return Reading(steps=(*made.steps, *after))


def _gather(head: Head, sentence: Sentence) -> _Draft:
    draft = _Draft(rest=head.rest, caveat=head.caveat, networks=list(head.networks))
    if head.format:
        draft.arguments["format"] = head.format
    _take_options(draft, sentence)
    _take_caption(draft, sentence)
    read = read_media(draft.rest, sentence)
    draft.rest, draft.vague_photo = read.rest, read.vague
    if read.media:
        draft.arguments["media"] = list(read.media)
    aimed = aimed_at(draft.rest)
    draft.rest = aimed.rest
    draft.networks += [name for name in aimed.names if name not in draft.networks]
    if (account := _ACCOUNT.search(draft.rest)) is not None:
        draft.arguments["account"] = f"@{account[1]}"
        draft.rest = f"{draft.rest[: account.start()]} {draft.rest[account.end() :]}"
    _take_time(draft)
    return draft


def _take_options(draft: _Draft, sentence: Sentence) -> None:
    aimed = tuple(dict.fromkeys([*draft.networks, *aimed_at(draft.rest).names]))
    read = read_options(draft.rest, sentence, aimed)
    draft.rest = read.rest
    if read.values:
        draft.arguments["options"] = read.values
    if read.format is not None:
        draft.arguments["format"] = read.format
    if read.network is not None and not aimed:
        draft.networks.append(read.network)


def _take_caption(draft: _Draft, sentence: Sentence) -> None:
    """Quoted words are the caption unless they are part of what the post is about (about "Espresso Week")."""
    for found in _SAYS.finditer(draft.rest):
        mark = sentence.mark(found["quote"])
        lead = draft.rest[found.start() : found.start("quote")].strip(" ,:-\t\n")
        inside_about = (
            not lead
            and _ABOUT.match(draft.rest) is not None
            and ":" not in draft.rest[found.start() : found.start("quote")]
        )
        if _ALT_TEXT.search(draft.rest[: found.start("quote")]):
            continue
        if mark is not None and mark.kind == "quote" and not inside_about:
            draft.arguments["caption"] = mark.words
            draft.rest = f"{draft.rest[: found.start()]} {draft.rest[found.end() :]}"
            return


def _take_time(draft: _Draft) -> None:
    """Take the wished time: "for tomorrow at 8am" at either end of the words; other days are content."""
    for phrase in time_phrases(draft.rest):
        at_edge = _NOTHING.match(draft.rest[phrase.end :]) or _NOTHING.match(draft.rest[: phrase.start])
        leads = _NOTHING.match(draft.rest[: phrase.start]) is not None
        if at_edge and (phrase.preposition.startswith("for") or (leads and phrase.preposition)):
            draft.arguments["when"] = phrase.words
            draft.rest = f"{draft.rest[: phrase.start]} {draft.rest[phrase.end :]}"
            return


def _drafted(draft: _Draft, sentence: Sentence, context: str) -> Reading:
    about = sentence.restored(about_words(draft.rest))
    if about.lower() in _EMPTY_ABOUT:
        about = sentence.restored(context) if about.lower() in {"it", "this", "that"} else ""
    arguments: dict[str, JsonValue] = {}
    if draft.networks:
        # One draft is for one network; whoever reads this decides whether it can be served.
        arguments["platform"] = " & ".join(name.lower() for name in draft.networks)
    arguments |= draft.arguments
    if any(arguments.get("format") in _NOT_SAID_THERE.get(name, ()) for name in draft.networks[:1]):
        del arguments["format"]
    if about:
        arguments["about"] = about
    step = Step(command="create_draft", arguments=arguments)
    is_story = arguments.get("format") == "story" and "media" in arguments  # a story needs no words
    if not about and "caption" not in arguments and not is_story:
        return ask(_WHAT_ABOUT, "about", step)
    if draft.vague_photo and "media" not in arguments:
        return ask(_WHICH_PHOTO, "media", step)
    if draft.caveat:
        return ask(f"{draft.caveat} Shall I draft a post about {about or 'it'}?", "yes", step)
    return Reading(steps=(step,))


def about_words(text: str) -> str:
    """What a post is about, without "about" in front and stops at the end."""
    rest = _ABOUT.sub("", text, count=1) if _ABOUT.match(text) else text
    return " ".join(rest.split()).strip(" ,.:;!?-–")  # noqa: RUF001


def media_alone(clause: str, sentence: Sentence) -> list[JsonValue]:
    """The media of a clause that names nothing else, for the draft beside it."""
    found = only_media(clause, sentence) if len(clause) <= _LONGEST_MEDIA else None
    return list(found.media) if found else []
