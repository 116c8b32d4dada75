"""What Facebook Pages can and cannot do here, and the limits of each format."""

from types import MappingProxyType

from platforms.base import Ability, FormatRules, ImageRules, Manifest, Quota, VideoRules
from platforms.graph import GRAPH_VERSION
from platforms.needs import ApiVersion, NeededScope, Upload

# Meta's Pages and video references, as read in September 2026; the length of a text as clients report it.
MAX_TEXT = 63_206
MAX_PHOTOS = 10
_FILMS = frozenset({"video/mp4", "video/quicktime"})
_CODECS = frozenset({"h264", "hevc", "vp9", "av1"})
_GIBIBYTE = 1024 * 1024 * 1024

PHOTOS = ImageRules(
    mime_types=frozenset({"image/jpeg", "image/png"}),
    max_bytes=4_000_000,  # the refusal says "less than 4 MB"
    best_width=2048,
)
VIDEOS = VideoRules(
    mime_types=_FILMS,
    max_bytes=_GIBIBYTE,
    seconds=(1.0, 20 * 60.0),
    video_codecs=_CODECS,
    audio_codecs=frozenset({"aac"}),
)
REELS = VideoRules(
    mime_types=_FILMS,
    max_bytes=_GIBIBYTE,
    seconds=(3.0, 90.0),
    video_codecs=_CODECS,
    audio_codecs=frozenset({"aac"}),
    frame_rates=(24.0, 60.0),
    ratios=(9 / 16, 9 / 16),
    min_width=540,
    min_height=960,
)
STORIES = VideoRules(
    mime_types=_FILMS,
    max_bytes=_GIBIBYTE,
    seconds=(3.0, 60.0),
    video_codecs=_CODECS,
    audio_codecs=frozenset({"aac"}),
    frame_rates=(24.0, 60.0),
    ratios=(9 / 16, 9 / 16),
    min_width=540,
    min_height=960,
)

TEXT = FormatRules(
    name="text",
    kinds=frozenset(),
    min_media=0,
    max_media=0,
    max_text=MAX_TEXT,
    options=frozenset({"first_comment"}),
)
LINK = FormatRules(
    name="link",
    kinds=frozenset(),
    min_media=0,
    max_media=0,
    max_text=MAX_TEXT,
    options=frozenset({"link", "first_comment"}),
)
IMAGE = FormatRules(
    name="image",
    kinds=frozenset({"image"}),
    min_media=1,
    max_media=1,
    max_text=MAX_TEXT,
    options=frozenset({"first_comment"}),
    image=PHOTOS,
)
CAROUSEL = FormatRules(
    name="carousel",
    kinds=frozenset({"image"}),
    min_media=2,
    max_media=MAX_PHOTOS,
    max_text=MAX_TEXT,
    options=frozenset({"first_comment"}),
    image=PHOTOS,
)
VIDEO = FormatRules(
    name="video",
    kinds=frozenset({"video"}),
    min_media=1,
    max_media=1,
    max_text=MAX_TEXT,
    options=frozenset({"title", "first_comment"}),
    video=VIDEOS,
)
REEL = FormatRules(
    name="reel",
    kinds=frozenset({"video"}),
    min_media=1,
    max_media=1,
    max_text=MAX_TEXT,
    options=frozenset({"title", "first_comment"}),
    video=REELS,
)
STORY = FormatRules(
    name="story",
    kinds=frozenset({"image", "video"}),
    min_media=1,
    max_media=1,
    max_text=0,  # a story takes no words from the API
    image=PHOTOS,
    video=STORIES,
)

# Meta's reels guide; it names no number for other posts of a Page.
QUOTAS = (
    Quota(
        name="reels in 24 hours",
        steps=frozenset({"publish"}),
        limit=30,
        seconds=86_400.0,
        formats=frozenset({"reel"}),
    ),
)

_SUITE = "contract suite"
_NOT_YET = "Studio does not send it yet; it is planned."

MANIFEST = Manifest(
    platform="facebook",
    title="Facebook",
    formats=(TEXT, LINK, IMAGE, CAROUSEL, VIDEO, REEL, STORY),
    can=(
        Ability(name="publish a text", proven_by=_SUITE),
        Ability(name="publish a link with its preview (link)", proven_by=_SUITE),
        Ability(name="publish a photo", proven_by=_SUITE),
        Ability(name="publish 2 to 10 photos as one post", proven_by=_SUITE),
        Ability(name="publish a video", proven_by=_SUITE),
        Ability(name="publish a reel, uploaded without a public address", proven_by=_SUITE),
        Ability(name="publish a photo or a video as a story", proven_by=_SUITE),
        Ability(name="alt text on photos", proven_by=_SUITE),
        Ability(name="a title on a video or a reel (title)", proven_by=_SUITE),
        Ability(name="a first comment under a post (first_comment)", proven_by=_SUITE),
        Ability(name="tell whether an unanswered publish happened, but for stories", proven_by=_SUITE),
    ),
    cannot=MappingProxyType(
        {
            "tell whether an unanswered story was published": "Facebook lists no stories: a person has to look.",
            "the address of a story": "Facebook gives stories none.",
            "a text or a first comment on a story": "The API of stories takes no words and no comments.",
            "photos and videos in one post": "Facebook's attached_media takes photos; a video is a post of its own.",
            "a cover image of its own for a video": _NOT_YET,
            "targeting and place tags": _NOT_YET,
            "images other than JPEG and PNG": "Facebook converts others itself; Studio sends what it can check.",
            "alt text on a video": "Facebook's API has no alt text for videos; it is not sent.",
            "editing a live post's text": _NOT_YET,
            "scheduling on Facebook's side": "Studio publishes when the time comes, the same on every network.",
            "personal profiles and groups": "Meta opens the publishing API to Pages only.",
        }
    ),
    fetches_media=True,
    posting_times=("Mon 09:00", "Tue 09:00", "Wed 09:00", "Thu 09:00", "Fri 09:00", "Sat 10:00", "Sun 10:00"),
    quotas=QUOTAS,
    uploads=(Upload(format="reel"), Upload(format="story")),
    scopes=(
        NeededScope(name="pages_manage_posts", for_what="publish"),
        NeededScope(name="pages_manage_engagement", for_what="write a first comment", option="first_comment"),
    ),
    api=ApiVersion(name=f"Meta's Graph API {GRAPH_VERSION}"),
)
