"""What Instagram can and cannot do here, and the limits of each format."""

from dataclasses import replace
from types import MappingProxyType

from platforms.base import Ability, FormatRules, ImageRules, Manifest, Quota, VideoRules
from platforms.graph import GRAPH_VERSION
from platforms.needs import ApiVersion, NeededScope, Upload

# Meta's content publishing guide and media reference, as read on 28 September 2026.
MAX_CAPTION = 2_200
MAX_CAROUSEL = 10
IMAGES = ImageRules(
    mime_types=frozenset({"image/jpeg"}),
    max_bytes=8 * 1024 * 1024,  # Meta's own error speaks of 8 MiB
    ratios=(4 / 5, 1.91),
    best_width=1440,
)
REELS = VideoRules(
    mime_types=frozenset({"video/mp4", "video/quicktime"}),
    max_bytes=300 * 1024 * 1024,
    seconds=(3.0, 15 * 60.0),
    video_codecs=frozenset({"h264", "hevc"}),
    audio_codecs=frozenset({"aac"}),
    frame_rates=(23.0, 60.0),
    ratios=(0.01, 10.0),
    max_width=1_920,
    max_bit_rate=25_000_000,
)

STORY_VIDEOS = replace(REELS, max_bytes=100 * 1024 * 1024, seconds=(3.0, 60.0), ratios=(0.1, 10.0))
# Stories and covers are cropped to the screen, so that no ratio is refused.
FREE_IMAGES = replace(IMAGES, ratios=None, best_width=1080)

IMAGE = FormatRules(
    name="image",
    kinds=frozenset({"image"}),
    min_media=1,
    max_media=1,
    max_text=MAX_CAPTION,
    options=frozenset({"collaborators", "first_comment"}),
    image=IMAGES,
)
CAROUSEL = FormatRules(
    name="carousel",
    kinds=frozenset({"image"}),
    min_media=2,
    max_media=MAX_CAROUSEL,
    max_text=MAX_CAPTION,
    options=frozenset({"collaborators", "first_comment"}),
    image=IMAGES,
)
REEL = FormatRules(
    name="reel",
    kinds=frozenset({"video"}),
    min_media=1,
    max_media=1,
    max_text=MAX_CAPTION,
    options=frozenset({"collaborators", "cover", "first_comment", "share_to_feed", "thumb_offset"}),
    video=REELS,
)
# A story shows no caption: the words of its draft stay in Studio.
STORY = FormatRules(
    name="story",
    kinds=frozenset({"image", "video"}),
    min_media=1,
    max_media=1,
    max_text=MAX_CAPTION,
    image=FREE_IMAGES,
    video=STORY_VIDEOS,
)
COVER = replace(REEL, kinds=frozenset({"image"}), image=FREE_IMAGES, video=None)

# Meta's guide says 100 posts in 24 hours, and its accounts tell it (content_publishing_limit); one with less says so
# when it is used up. The containers are counted apart, those of a carousel's images too.
_DAY = 86_400.0
# Meta's guide says 100 in 24 hours, its reference 50; content_publishing_limit says it of each account.
_POSTS_A_DAY = 100
QUOTAS = (
    Quota(name="posts in 24 hours", steps=frozenset({"publish"}), limit=_POSTS_A_DAY, seconds=_DAY),
    Quota(
        name="prepared media in 24 hours",
        steps=frozenset({"create_container", "create_child_"}),
        limit=400,
        seconds=_DAY,
    ),
)

_SUITE = "contract suite"
_NOT_YET = "Studio does not send it yet; it is planned."

# Meta's guides of both login products; without ``login`` a token counts as Facebook Login's.
_SCOPES = (
    NeededScope(name="instagram_basic", for_what="read the account", login="facebook"),
    NeededScope(name="instagram_content_publish", for_what="publish", login="facebook"),
    NeededScope(
        name="instagram_manage_comments", for_what="write a first comment", login="facebook", option="first_comment"
    ),
    NeededScope(name="instagram_business_basic", for_what="read the account", login="instagram"),
    NeededScope(name="instagram_business_content_publish", for_what="publish", login="instagram"),
    NeededScope(
        name="instagram_business_manage_comments",
        for_what="write a first comment",
        login="instagram",
        option="first_comment",
    ),
)

MANIFEST = Manifest(
    platform="instagram",
    title="Instagram",
    formats=(IMAGE, CAROUSEL, REEL, STORY),
    can=(
        Ability(name="publish an image", proven_by=_SUITE),
        Ability(name="publish a carousel of 2 to 10 images", proven_by=_SUITE),
        Ability(name="publish a reel", proven_by=_SUITE),
        Ability(name="alt text on images and carousel images", proven_by=_SUITE),
        Ability(name="show a reel on the profile grid or not (share_to_feed)", proven_by=_SUITE),
        Ability(name="choose a reel's cover frame by its time in milliseconds (thumb_offset)", proven_by=_SUITE),
        Ability(name="a cover image of its own for a reel (cover)", proven_by=_SUITE),
        Ability(name="publish a story: an image, or a video of 3 to 60 seconds", proven_by=_SUITE),
        Ability(name="invite up to 3 collaborators (not to stories)", proven_by=_SUITE),
        Ability(name="first comment (not on stories)", proven_by=_SUITE),
        Ability(name="views, reach, likes, comments, shares and saves of a live post", proven_by=_SUITE),
        Ability(name="tell whether an unanswered publish happened", proven_by=_SUITE),
        Ability(name="upload a video without a public address, with Facebook Login", proven_by=_SUITE),
    ),
    cannot=MappingProxyType(
        {
            "video inside of a carousel": _NOT_YET,
            "user, product and location tags": _NOT_YET,
            "images other than JPEG": "Instagram's publishing API takes JPEG only.",
            "a post without an image or video": "Instagram has no such post.",
            "alt text on a reel or story": "Instagram's API takes alt text for feed images only; it is not sent.",
            "words, links and stickers on a story": "The API has none of them; a draft's caption is not sent.",
            "first comment and collaborators on a story": "Instagram has no comments and no co-authors on stories.",
            "editing a live post's caption": "Instagram's API offers no such call.",
            "scheduling on Instagram's side": "The API has no such parameter; Studio publishes when the time comes.",
            "personal accounts": "Meta opens the publishing API to business and creator accounts only.",
            "resumable upload with Instagram Login": "graph.instagram.com does not offer it: videos go by public link.",
        }
    ),
    fetches_media=True,
    posting_times=("Mon 11:00", "Tue 11:00", "Wed 11:00", "Thu 11:00", "Fri 11:00", "Sat 10:00", "Sun 18:00"),
    quotas=QUOTAS,
    uploads=(Upload(format="reel", unless_login="instagram"), Upload(format="story", unless_login="instagram")),
    scopes=_SCOPES,
    api=ApiVersion(name=f"Meta's Graph API {GRAPH_VERSION}"),
    daily_limit=_POSTS_A_DAY,
)
