"""The demo's story: a roastery in the week it brings out a roast from Huila, on four networks."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class DemoAccount:
    """An account of the pretend networks; the sandbox knows its tokens.

    ``app_password`` is what it is connected with, where there is one.
    """

    platform: str
    external_id: str
    handle: str
    name: str
    access_token: str
    refresh_token: str | None = None
    app_password: str | None = None
    login: str | None = None


@dataclass(frozen=True, kw_only=True)
class PastPost:
    """What was live before the demo began; ``kind`` is the network's word, ``counts`` its audience's."""

    key: str
    platform: str
    kind: str
    format: str
    medium: str | None
    caption: str
    ago: timedelta
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A post of the demo; ``when`` None leaves it a draft, unless it goes out at once."""

    key: str
    platform: str
    caption: str
    medium: str | None = None
    when: str | None = None
    publish_now: bool = False


ACCOUNTS = (
    DemoAccount(
        platform="instagram",
        external_id="17841400000000042",
        handle="driftwood.coffee",
        name="Driftwood Coffee",
        access_token="sandbox-token-of-driftwood-coffee",  # noqa: S106 - the sandbox's, worth nothing anywhere else
        login="facebook",
    ),
    DemoAccount(
        platform="facebook",
        external_id="104200000000042",
        handle="Driftwood Coffee",
        name="Driftwood Coffee",
        access_token="sandbox-token-of-driftwood-page",  # noqa: S106 - the same
        login="facebook",
    ),
    DemoAccount(
        platform="tiktok",
        external_id="driftwood-open-id",
        handle="driftwoodcoffee",
        name="Driftwood Coffee",
        access_token="sandbox-token-of-driftwood-tiktok",  # noqa: S106 - the same
        refresh_token="sandbox-refresh-of-driftwood-tiktok",  # noqa: S106 - the same
    ),
    DemoAccount(
        platform="bluesky",
        external_id="did:plc:driftwoodcoffee",
        handle="driftwood.sandbox.test",
        name="Driftwood Coffee",
        access_token="sandbox-token-of-driftwood-bluesky",  # noqa: S106 - the same
        app_password="drif-twoo-dcof-fee2",  # noqa: S106 - the same
    ),
)

REEL = "pouring reel.mp4"

PAST = (
    PastPost(
        key="harvest",
        platform="instagram",
        kind="IMAGE",
        format="image",
        medium="coffee bag.jpg",
        caption="The harvest from Huila has landed. Forty bags, and our roaster has not stopped smiling. #huila",
        ago=timedelta(days=9),
        counts={"views": 1840, "reach": 1210, "likes": 143, "comments": 12, "shares": 9, "saves": 21},
    ),
    PastPost(
        key="pour",
        platform="tiktok",
        kind="VIDEO",
        format="video",
        medium=REEL,
        caption="Six seconds of the Huila roast. Sound on. #huila #latteart",
        ago=timedelta(days=6),
        counts={"views": 12400, "likes": 1105, "comments": 64, "shares": 210},
    ),
    PastPost(
        key="poll",
        platform="facebook",
        kind="TEXT",
        format="text",
        medium=None,
        caption="Oat or whole milk with the Huila roast? Tell us, we are building the menu.",
        ago=timedelta(days=4),
        counts={"likes": 38, "comments": 51, "shares": 2},
    ),
    PastPost(
        key="grinder",
        platform="bluesky",
        kind="TEXT",
        format="text",
        medium=None,
        caption="The grinder has a name now. It is Gertrude. She does the Huila roast at setting four. #huila",
        ago=timedelta(days=3),
        counts={"likes": 57, "comments": 14, "shares": 6, "saves": 3},
    ),
    PastPost(
        key="counter",
        platform="instagram",
        kind="IMAGE",
        format="image",
        medium="latte photo.jpg",
        caption="First flat white of the Huila roast, poured at eight this morning. #flatwhite",
        ago=timedelta(days=2),
        counts={"views": 2310, "reach": 1530, "likes": 204, "comments": 18, "shares": 14, "saves": 33},
    ),
)

EXAMPLES = (
    Example(
        key="welcome",
        platform="instagram",
        medium="morning light.jpg",
        caption="Doors open at eight, and the first pot is already on. Come and say good morning. #driftwoodcoffee",
        publish_now=True,
    ),
    Example(
        key="latte",
        platform="instagram",
        medium="latte photo.jpg",
        caption="Flat white or latte? Tell us which camp you are in. #flatwhite",
        when="tomorrow at 9am",
    ),
    Example(
        key="hours",
        platform="facebook",
        caption="We open at seven on market days from next week on. See you on the square!",
        when="in 2 days at noon",
    ),
    Example(
        key="reel",
        platform="tiktok",
        medium=REEL,
        caption="How the Huila roast pours. #huila",
        when="in 3 days at 6:30pm",
    ),
    Example(
        key="recipe",
        platform="bluesky",
        caption="Our pour-over for the Huila roast: 18 g, 300 ml, three minutes. Be patient with the bloom. #pourover",
        when="in 2 days at 10am",
    ),
    Example(
        key="tasting",
        platform="instagram",
        medium="espresso cup.jpg",
        caption="Tasting night: four origins, one table. Details soon. #cupping",
    ),
)
