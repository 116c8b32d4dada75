"""What TikTok can and cannot do here, and the limits of each format."""

from types import MappingProxyType

from platforms.base import Ability, FormatRules, ImageRules, Manifest, Quota, VideoRules
from platforms.needs import ApiVersion, NeededScope, Upload

# TikTok's media transfer guide and posting references, as read on 11 September 2026.
MAX_TITLE = 2_200
MAX_PHOTO_TITLE = 90
MAX_DESCRIPTION = 4_000
MAX_PHOTOS = 35

VIDEOS = VideoRules(
    mime_types=frozenset({"video/mp4", "video/quicktime", "video/webm"}),
    max_bytes=4_000_000_000,
    # How long a video may be depends on the account: creator_info says it before anything is sent.
    seconds=(0.0, 60 * 60.0),
    video_codecs=frozenset({"h264", "hevc", "vp8", "vp9"}),
    audio_codecs=frozenset({"aac", "mp3", "opus", "vorbis"}),
    frame_rates=(23.0, 60.0),
    min_width=360,
    min_height=360,
    max_width=4_096,
    max_height=4_096,
)
# "1080p": 1080 on the shorter side, either way round; rules.py checks that one.
PHOTOS = ImageRules(
    mime_types=frozenset({"image/jpeg", "image/webp"}),
    max_bytes=20_000_000,
    max_width=1_920,
    max_height=1_920,
    best_width=1_080,
)

_SHARED = frozenset({"privacy_level", "disable_comment", "brand_content_toggle", "brand_organic_toggle", "draft"})

VIDEO = FormatRules(
    name="video",
    kinds=frozenset({"video"}),
    min_media=1,
    max_media=1,
    max_text=MAX_TITLE,
    options=_SHARED | {"disable_duet", "disable_stitch", "cover_timestamp_ms", "is_aigc"},
    video=VIDEOS,
)
PHOTO = FormatRules(
    name="photo",
    kinds=frozenset({"image"}),
    min_media=1,
    max_media=MAX_PHOTOS,
    max_text=MAX_DESCRIPTION,
    options=_SHARED | {"title", "auto_add_music", "is_aigc"},
    image=PHOTOS,
)

# Six announcements a minute for each user's token; at most five drafts of a day may wait in an inbox, and nobody is
# told when one was finished there, so that all of the day's count. The cap of posts a day has no published number.
QUOTAS = (
    Quota(
        name="new posts in a minute",
        steps=frozenset({"init_video", "init_inbox", "init_photo"}),
        limit=6,
        seconds=60.0,
    ),
    Quota(
        name="drafts in 24 hours",
        steps=frozenset({"init_inbox", "init_photo"}),
        limit=5,
        seconds=86_400.0,
        options=frozenset({"draft"}),
    ),
)

_SUITE = "contract suite"
_NO_CALL = "TikTok's API offers no such call."

MANIFEST = Manifest(
    platform="tiktok",
    title="TikTok",
    formats=(VIDEO, PHOTO),
    can=(
        Ability(name="publish a video of up to 4 GB, sent in chunks that resume after a break", proven_by=_SUITE),
        Ability(name="publish 1 to 35 photos (JPEG or WebP)", proven_by=_SUITE),
        Ability(name="put a draft into the account's inbox (option draft)", proven_by=_SUITE),
        Ability(
            name="choose who sees it (privacy_level); when nobody chose, the account's own setting privacy_level, "
            "else the most public level that TikTok offers the account",
            proven_by=_SUITE,
        ),
        Ability(name="switch off comments, duets and stitches (disable_comment, …)", proven_by=_SUITE),
        Ability(name="choose a video's cover frame in milliseconds (cover_timestamp_ms)", proven_by=_SUITE),
        Ability(name="label branded, own-brand and AI-made content", proven_by=_SUITE),
        Ability(name="tell whether an unanswered video upload was published", proven_by=_SUITE),
        Ability(name="count views, likes, comments and shares of public posts", proven_by="tests of the adapter"),
    ),
    cannot=MappingProxyType(
        {
            "deleting a post": _NO_CALL + " Delete it in the TikTok app.",
            "editing a live post": _NO_CALL,
            "public posts before TikTok has audited the app": "Unaudited apps may post to private accounts only, as "
            "SELF_ONLY, for 5 users a day; TikTok may refuse the audit to a tool for one's own accounts.",
            "telling for sure whether an unanswered photo post went out": "Photos are published by the call that "
            "announces them; only a public post can be found again, by its text and time. Otherwise a person looks.",
            "photos without a public address": "TikTok fetches photos from links, and the domain of STUDIO_PUBLIC_URL "
            "has to be verified in its developer portal.",
            "images other than JPEG and WebP": "TikTok's API takes no PNG.",
            "text with a draft video": "The inbox call takes no text: the person writes it in the app.",
            "alt texts": "TikTok's API has no such field; they are not sent.",
            "the address of a post that is not public": "TikTok tells the id of public posts alone.",
            "reach and saves": "TikTok's API counts views, likes, comments and shares only.",
            "scheduling on TikTok's side": "The API has no such parameter; Studio publishes when the time comes.",
        }
    ),
    fetches_media=True,
    posting_times=("Mon 18:00", "Tue 18:00", "Wed 18:00", "Thu 18:00", "Fri 17:00", "Sat 11:00", "Sun 19:00"),
    quotas=QUOTAS,
    uploads=(Upload(format="video"),),
    scopes=(
        NeededScope(name="video.publish", for_what="publish", without="draft"),
        NeededScope(name="video.upload", for_what="put a draft into the inbox", option="draft"),
    ),
    api=ApiVersion(name="TikTok's Content Posting API v2"),
    # spam_risk_too_many_posts: about 15 posts of a creator a day, those of all apps together.
    daily_limit=15,
    renews_dead_tokens=True,
)
