"""Time phrases cut out of sentences, and words that only look like times left alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.when.resolve import find_phrases, is_slot

FOUND = [
    # sentence, phrases with their kind, and the preposition that goes with each
    ("Schedule it for Friday at 9am please", [("Friday at 9am", "time", "for ")]),
    ("move it to Saturday 18:30", [("Saturday 18:30", "time", "to ")]),
    ("Move it to Saturday at 18:30.", [("Saturday at 18:30", "time", "to ")]),
    ("schedule the espresso post tomorrow at noon", [("tomorrow at noon", "time", "")]),
    ("could you put it on firday at 9 am?", [("firday at 9 am", "time", "on ")]),
    ("Post it at 9am on Friday to Instagram", [("9am on Friday", "time", "at ")]),
    ("schedule it at 9 tomorrow, thanks", [("at 9 tomorrow", "time", "")]),
    ("make it at 5 please", [("at 5", "time", "")]),
    ("next Friday, 27 November at 18:30 works", [("next Friday", "time", ""), ("27 November at 18:30", "time", "")]),
    ("move it to Monday 30 Nov 2026 at 18:30, thanks", [("Monday 30 Nov 2026 at 18:30", "time", "to ")]),
    ("send it on 27/11 at 9am", [("27/11 at 9am", "time", "on ")]),
    ("at 2026-11-27T09:00:00+01:00 then", [("2026-11-27T09:00:00+01:00", "time", "at ")]),
    ("publish it now", [("now", "time", "")]),
    ("publish it right now please", [("right now", "time", "")]),
    ("and make it an hour later", [("an hour later", "time", "")]),
    ("post it in 2 hours", [("in 2 hours", "time", "")]),
    ("push it back by a day", [("push back by a day", "time", "")]),
    ("delay the espresso post by an hour", [("delay by an hour", "time", "")]),
    ("move it back by a day", [("back by a day", "time", "")]),
    ("same time on Saturday", [("same time on Saturday", "time", "")]),
    ("schedule it for half past nine tomorrow morning", [("half past nine tomorrow morning", "time", "for ")]),
    ("move it to the evening", [("the evening", "time", "to ")]),
    ("post tonight", [("tonight", "time", "")]),
    ("share it on Sunday at 8am in London", [("Sunday at 8am in London", "time", "on ")]),
    ("9am New York time on Friday for the teaser", [("9am New York time on Friday", "time", "")]),
    ("move the Friday post to Monday", [("Monday", "time", "to ")]),
    ("from Friday to Saturday", [("Friday", "time", "from "), ("Saturday", "time", "to ")]),
    ("our Black Friday sale goes out on Friday at 10", [("Friday at 10", "time", "on ")]),
    (
        "one on Monday at 9am and one on Tuesday at 6pm",
        [("Monday at 9am", "time", "on "), ("Tuesday at 6pm", "time", "on ")],
    ),
    ("put it on Sat at 9", [("Sat at 9", "time", "on ")]),
    ("move it sat 9am", [("sat 9am", "time", "")]),
    ("schedule it for May 5 at 9am", [("May 5 at 9am", "time", "for ")]),
    ("for the 27th please", [("the 27th", "time", "for ")]),
    ("put it in the next free slot", [("the next free slot", "slot", "in ")]),
    ("schedule it for the first free slot please", [("the first free slot", "slot", "for ")]),
    ("post it whenever there's a free slot", [("whenever there's a free slot", "slot", "")]),
    ("use the next available time", [("the next available time", "slot", "")]),
    ("what's scheduled this week?", [("this week", "window", "")]),
    ("What is going out next week", [("next week", "window", "")]),
    ("what goes out this weekend?", [("this weekend", "window", "")]),
    ("show the next 7 days", [("the next 7 days", "window", "")]),
    ("show what goes out today and tomorrow", [("today and tomorrow", "window", "")]),
    ("one today and one tomorrow", [("today", "time", ""), ("tomorrow", "time", "")]),
    ("move it to the last Friday of the month at 9am", [("the last Friday of the month at 9am", "time", "to ")]),
    ("list posts in November and December", [("in November", "window", "")]),
    ("what's on in November", [("in November", "window", "")]),
    ("show me today's posts", [("today's", "window", "")]),
    ("what's in next week's calendar", [("next week's", "window", "in ")]),
    ("what is planned for Friday?", [("Friday", "time", "for ")]),
    ("☕️ café ☕️ on Friday at 9am ☕️", [("Friday at 9am", "time", "on ")]),
]


@pytest.mark.parametrize(("sentence", "expected"), FOUND)
def test_found(sentence: str, expected: list[tuple[str, str, str]]) -> None:
    spans = find_phrases(sentence)
    assert [(span.phrase, span.kind, sentence[span.lead : span.start]) for span in spans] == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "we may post 5 photos",
        "it may 5 times",
        "he sat down in the sun",
        "the sun is out, wed and happy",
        "a second photo, and a third one",
        "our Friday special and the Monday post",
        "an hour before the fair, nine to ten people",
        "the munday post",
        "Black Friday sale",
        "open at 9 shops",
        "24/7 support at 1/2 price",
        "version 2.10 of our app",
        "#9 and v2 and B2B",
        "good morning everyone",
        "coffee for the morning crowd",
        "an evening menu",
        "a sundae with new merch",
        "a match made in heaven",
        "every Friday at 9am",
        "each Monday morning",
        "Fridays at 9",
        "open 9am-5pm",
        "9:00-10:00",
        "Sun-kissed beaches",
        "now cancel it",
        "ok now what",
        "Draft an Instagram post about our new espresso blend",
        "What happened to the espresso post?",
        "which accounts are connected?",
        "show me the drafts",
        "undo that",
        "the best one of three photos",
        "in a nutshell, the first of many",
        "",
    ],
)
def test_left_alone(sentence: str) -> None:
    assert find_phrases(sentence) == ()


@pytest.mark.parametrize(
    "phrase",
    [
        "next free slot",
        "the next free slot",
        "first free slot",
        "the next slot",
        "in the next free slot please",
        "next available slot",
        "the earliest open slot",
        "whenever there's a free slot",
        "when there is a free slot",
        "any free slot",
        "next free time slot",
        "the next free time",
        "the first available spot",
    ],
)
def test_is_slot(phrase: str) -> None:
    assert is_slot(phrase)


@pytest.mark.parametrize(
    "phrase", ["", "slot", "the slot", "Friday 9am", "next Friday", "free", "next time", "next free slot on Mars"]
)
def test_is_no_slot(phrase: str) -> None:
    assert not is_slot(phrase)


@settings(deadline=None)  # a loaded machine is no failure
@given(text=st.text(max_size=200) | st.lists(st.sampled_from([case[0] for case in FOUND]), max_size=4).map(" ".join))
def test_spans_lie_in_the_text_in_order(text: str) -> None:
    end = 0
    for span in find_phrases(text):
        assert end <= span.start < span.end <= len(text)
        assert span.lead <= span.start
        assert span.phrase.endswith(text[span.start : span.end])
        end = span.end
