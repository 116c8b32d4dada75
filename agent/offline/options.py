"""Settings of a format that a clause names: first comment, collaborators, link, cover, story, TikTok's inbox."""

import re
from dataclasses import dataclass, field

from agent.offline.sentence import MARK, Mark, Sentence
from core.jsontypes import JsonValue

_JOIN = (
    r"(?:[\s,]*\b(?:and|with|plus|using|use|add|adding|include|including|set|tag|tagging|invite|inviting"
    r"|have)\b)*[\s,]*"
)
_HANDLE = r"@[A-Za-z0-9_](?:[\w.-]{0,60}\w)?"
_HANDLES = rf"(?P<handles>{_HANDLE}(?:(?:\s*,\s*|\s+)(?:and |& )?{_HANDLE})*)"
_FIRST_COMMENT = re.compile(
    rf"{_JOIN}(?:\b(?:a|the|this|its|my|our|following) )*\bfirst comment(?: (?:that )?(?:saying|says|reading|reads"
    rf"|of|is|to|as"
    rf"|should (?:say|be)|with))*\s*:?\s*(?:(?P<quote>{MARK})|(?<=saying )(?P<words>\S[^\n]{{1,300}}?)[\s.]*\Z)",
    re.IGNORECASE,
)
_COMMENT_AFTER = re.compile(rf"{_JOIN}(?P<quote>{MARK}) as (?:a |the |its )?first comment", re.IGNORECASE)
_COLLABORATORS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_JOIN}{_HANDLES} as (?:a |an |the |our )?(?:collaborators?|collabs?|co-?authors?)\b",
        (
            rf"{_JOIN}(?:in |as )?(?:a )?(?:\bcollab(?:oration|orating|orators?)?|\bco-?authored"
            rf"|\bco-?authors?)(?: with| are| is)?:? {_HANDLES}"
        ),
    )
)
_LINK = re.compile(
    rf"{_JOIN}(?:\b(?:a|the|this|its|my|our) )?\blink(?: (?:to|is|at))?\s*:?\s*(?P<link>{MARK})", re.IGNORECASE
)
_WITH_CARDS = (("Facebook",), ("Bluesky",))
_MEDIA_FILE = re.compile(r"\.(?:jpe?g|png|webp|heic|gif|mp4|mov|m4v)(?:\?|\Z)", re.IGNORECASE)
_COVER = re.compile(
    rf"{_JOIN}(?:the |my |our )(?P<name>(?:(?!with\b|using\b|and\b|use\b|the\b)[\w'-]+ ){{1,4}}?(?:photo|image"
    rf"|picture|pic)) as (?:a |the |its )?(?:cover"
    rf"|thumbnail)"
    r"(?: image| photo)?",
    re.IGNORECASE,
)
_COVER_TIME = re.compile(
    rf"{_JOIN}(?:a |the |its )?(?:cover|thumbnail)(?: frame)? (?:at|from"
    rf"|is at) (?:second )?(?P<seconds>\d{{1,3}}(?:\.\d)?)"
    r"(?: ?s| ?secs?| ?seconds?)?\b(?: in)?",
    re.IGNORECASE,
)
_INBOX = re.compile(
    r"[\s,]*(?:as (?:a |an )?)?(?:\b(?:unposted )?draft )?(?:to|in|into|for) (?:the |my |our )?(?P<tiktok>tiktok )?"
    r"(?:inbox|drafts folder)(?P<of> (?:on|of|at) tiktok)?",
    re.IGNORECASE,
)
_STORY = re.compile(
    r"[\s,]*\b(?:as|to) (?:a |an |our |my |the )?(?:(?P<network>instagram|facebook) )?story\b", re.IGNORECASE
)


@dataclass(kw_only=True)
class Options:
    """What was found: ``values`` for the argument "options", the words left, a format and a network that follow."""

    rest: str
    values: dict[str, JsonValue] = field(default_factory=dict)
    format: str | None = None
    network: str | None = None

    def cut(self, found: re.Match[str]) -> None:
        """Take what was read out of the words."""
        self.rest = f"{self.rest[: found.start()]} {self.rest[found.end() :]}".strip()


def read_options(text: str, sentence: Sentence, networks: tuple[str, ...] = ()) -> Options:
    """Take the settings out of a clause about a post on these networks."""
    options = Options(rest=text)
    _take_comment(options, sentence)
    _take_collaborators(options)
    _take_inbox(options)
    if (story := _STORY.search(options.rest)) is not None:
        options.format = "story"
        options.network = (story["network"] or "").capitalize() or None
        options.cut(story)
    _take_link(options, sentence, networks)
    _take_cover(options, networks)
    return options


def _take_comment(options: Options, sentence: Sentence) -> None:
    found = _COMMENT_AFTER.search(options.rest) or _FIRST_COMMENT.search(options.rest)
    if found is None:
        return
    said = found.groupdict()
    mark = _marked(sentence, said["quote"], "quote")
    words = mark.words if mark else sentence.restored(said.get("words") or "").strip()
    if words:
        options.values["first_comment"] = words
        options.cut(found)


def _marked(sentence: Sentence, character: str | None, kind: str) -> Mark | None:
    mark = sentence.mark(character) if character else None
    return mark if mark is not None and mark.kind == kind else None


def _take_collaborators(options: Options) -> None:
    for pattern in _COLLABORATORS:
        if (found := pattern.search(options.rest)) is not None:
            handles: list[JsonValue] = [handle[1:] for handle in re.findall(_HANDLE, found["handles"])]
            options.values["collaborators"] = handles
            options.cut(found)
            return


def _take_inbox(options: Options) -> None:
    found = _INBOX.search(options.rest)
    if found is not None and (found["tiktok"] or found["of"] or "tiktok" in options.rest.lower()):
        options.values["draft"] = True
        options.network = "TikTok"
        options.cut(found)


def _take_link(options: Options, sentence: Sentence, networks: tuple[str, ...]) -> None:
    """A link is Facebook's and Bluesky's; elsewhere, or when it leads to a picture, it is the photo's address."""
    found = _LINK.search(options.rest)
    mark = _marked(sentence, found["link"] if found else None, "url")
    if found is None or mark is None or networks not in _WITH_CARDS:
        return
    if not _MEDIA_FILE.search(mark.words):
        options.values["link"] = mark.words
        options.cut(found)


def _take_cover(options: Options, networks: tuple[str, ...]) -> None:
    if (named := _COVER.search(options.rest)) is not None:
        options.values["cover"] = named["name"]
        options.cut(named)
    elif (timed := _COVER_TIME.search(options.rest)) is not None:
        name = "cover_timestamp_ms" if networks == ("TikTok",) else "thumb_offset"
        options.values[name] = round(float(timed["seconds"]) * 1000)
        options.cut(timed)
