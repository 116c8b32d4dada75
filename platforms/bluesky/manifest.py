"""What Bluesky can and cannot do here, and the limits of each format."""

from types import MappingProxyType

from platforms.base import Ability, FormatRules, ImageRules, Manifest, Quota
from platforms.needs import ApiVersion

# The lexicons app.bsky.feed.post and app.bsky.embed.images of November 2026, and a server of that time.
MAX_GRAPHEMES = 300
MAX_BYTES = 3_000
MAX_IMAGES = 4
MAX_LANGUAGES = 3
# Studio's own: Bluesky names no limit for a thread, and counts are asked for 25 posts at a time.
MAX_FURTHER = 24

PICTURES = ImageRules(
    mime_types=frozenset({"image/jpeg", "image/png", "image/webp"}),
    max_bytes=2_000_000,
    best_width=2_000,
)

_SHARED = frozenset({"thread", "reply_to", "langs"})

TEXT = FormatRules(name="text", kinds=frozenset(), min_media=0, max_media=0, max_text=MAX_GRAPHEMES, options=_SHARED)
IMAGE = FormatRules(
    name="image",
    kinds=frozenset({"image"}),
    min_media=1,
    max_media=MAX_IMAGES,
    max_text=MAX_GRAPHEMES,
    options=_SHARED,
    image=PICTURES,
)
LINK = FormatRules(
    name="link",
    kinds=frozenset(),
    min_media=0,
    max_media=0,
    max_text=MAX_GRAPHEMES,
    options=_SHARED | {"link", "title", "description"},
)

_SUITE = "contract suite"
_REAL = "contract suite and a real server"
_NOT_YET = "Studio does not send it yet."

# A server counts points for what is written: 5,000 an hour and 35,000 a day, 2 for a record that is put and 3 for one
# that is created. A thread may have 25 records: what is counted here is the most that a publish can take.
_HOUR, _DAY = 3_600.0, 86_400.0
QUOTAS = (
    Quota(name="posts in an hour", steps=frozenset({"publish"}), limit=2_500, seconds=_HOUR),
    Quota(name="threads in an hour", steps=frozenset({"publish_thread"}), limit=66, seconds=_HOUR),
    Quota(name="pictures in 24 hours", steps=frozenset({"upload_image_"}), limit=1_000, seconds=_DAY),
)

MANIFEST = Manifest(
    platform="bluesky",
    title="Bluesky",
    formats=(TEXT, IMAGE, LINK),
    can=(
        Ability(name="publish a text of up to 300 characters", proven_by=_REAL),
        Ability(name="publish 1 to 4 images with alt texts", proven_by=_REAL),
        Ability(name="publish a link as a card (link, title, description)", proven_by=_REAL),
        Ability(name="publish a thread at one stroke: the further texts in the option thread", proven_by=_REAL),
        Ability(name="answer a post (reply_to: its address)", proven_by=_REAL),
        Ability(name="links, hashtags and mentions that can be clicked, in every text", proven_by=_REAL),
        Ability(name="say which languages a post is in (langs: up to 3, such as en)", proven_by=_REAL),
        Ability(name="tell for sure whether an unanswered publish happened", proven_by=_REAL),
        Ability(name="delete a post, a thread with all that Studio wrote of it", proven_by=_REAL),
        Ability(name="count likes, replies, reposts with quotes, and bookmarks", proven_by=_SUITE),
    ),
    cannot=MappingProxyType(
        {
            "videos and moving pictures": "Bluesky takes videos by another service; " + _NOT_YET.lower(),
            "images other than JPEG, PNG and WebP": "Studio sends what every app of Bluesky's shows.",
            "a picture on a card": _NOT_YET,
            "editing a live post": "Bluesky's apps show a post as it was first written.",
            "views and reach": "Bluesky counts neither.",
            "addresses without https:// as links": "Without it nobody can tell an address from a slip of the pen.",
            "accounts on several servers": "STUDIO_BLUESKY_PDS_URL names one server for the whole installation.",
            "scheduling on Bluesky's side": "There is no such call; Studio publishes when the time comes.",
        }
    ),
    fetches_media=False,
    posting_times=("Mon 09:00", "Tue 09:00", "Wed 09:00", "Thu 09:00", "Fri 09:00", "Sat 11:00", "Sun 18:00"),
    quotas=QUOTAS,
    api=ApiVersion(name="the AT Protocol"),
)
