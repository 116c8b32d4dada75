"""Media over HTTP: uploads, ranges, and the signed links that networks fetch from."""

from uuid import UUID

import httpx

from db.queries import accounts
from tests.api.conftest import Served, client_of, jpeg
from tools.context import Doors, Principal
from tools.public_media import public_link


async def upload(client: httpx.AsyncClient, data: bytes, name: str = "photo.jpg") -> httpx.Response:
    return await client.post("/v1/media", files={"file": (name, data, "application/octet-stream")})


async def test_the_same_bytes_are_the_same_asset_and_the_content_says_what_it_is(owner: httpx.AsyncClient) -> None:
    first = await upload(owner, jpeg(800, 600), "../../etc/latte art.txt")
    assert first.status_code == 201, first.text
    asset = first.json()
    assert (asset["kind"], asset["mime_type"]) == ("image", "image/jpeg")
    assert (asset["width"], asset["height"]) == (800, 600)
    assert asset["name"] == "latte art.txt"
    again = await upload(owner, jpeg(800, 600), "other.jpg")
    assert again.json()["id"] == asset["id"]


async def test_what_is_no_medium_is_refused(owner: httpx.AsyncClient) -> None:
    for data, code in ((b"<html>hello</html>", "media_type"), (b"", "media_empty"), (jpeg()[:2000], "media_truncated")):
        answer = await upload(owner, data)
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] == code
    without = await owner.post("/v1/media", files={"photo": ("a.jpg", jpeg(), "image/jpeg")})
    assert without.json()["problems"][0]["path"] == "file"


async def test_reading_back_gives_the_right_type_and_stays_inert(owner: httpx.AsyncClient, asset_id: str) -> None:
    answer = await owner.get(f"/v1/media/{asset_id}")
    assert answer.content == jpeg()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''espresso.jpg"
    unchanged = await owner.get(f"/v1/media/{asset_id}", headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304
    assert unchanged.content == b""


# A Range header, the status, and the bytes it comes to.
RANGES = (
    ("bytes=0-99", 206, slice(0, 100)),
    ("bytes=100-", 206, slice(100, None)),
    ("bytes=-50", 206, slice(-50, None)),
    ("bytes=0-99999999", 200, slice(None)),  # the whole of it
    ("bytes=5-2", 200, slice(None)),  # nonsense is ignored
    ("bytes=0-1,5-9", 200, slice(None)),  # several ranges: the whole
    ("lines=1-2", 200, slice(None)),
)


async def test_ranges(owner: httpx.AsyncClient, asset_id: str) -> None:
    whole = jpeg()
    for header, status, wanted in RANGES:
        answer = await owner.get(f"/v1/media/{asset_id}", headers={"Range": header})
        assert answer.status_code == status, header
        assert answer.content == whole[wanted], header
        if status == 206:
            first, last, _ = wanted.indices(len(whole))
            assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/{len(whole)}"


async def test_a_range_beyond_the_end_is_416(owner: httpx.AsyncClient, asset_id: str) -> None:
    for header in ("bytes=999999999-", "bytes=-0"):
        answer = await owner.get(f"/v1/media/{asset_id}", headers={"Range": header})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(jpeg())}"


async def test_a_signed_link_needs_no_key_and_a_changed_one_opens_nothing(
    served: Served, doors: Doors, principal: Principal, asset_id: str
) -> None:
    async with doors.database.session(principal.workspace_id) as session:
        asset = await accounts.get_asset(session, UUID(asset_id))
    assert asset is not None
    link = public_link(doors.vault, served.url, asset)
    async with client_of(served.url) as network:
        answer = await network.get(link)
        assert answer.content == jpeg()
        assert answer.headers["content-type"] == "image/jpeg"
        head = await network.head(link)
        assert head.headers["content-length"] == str(len(jpeg()))
        assert head.content == b""
        token = link.split("/media/")[1].split("/")[0]
        forged = link.replace(token, token[:-3] + ("aaa" if not token.endswith("aaa") else "bbb"))
        refused = await network.get(forged)
    assert refused.status_code == 403
    assert refused.json()["code"] == "link_invalid"


async def test_the_facts_of_an_asset_say_whether_it_is_being_converted(owner: httpx.AsyncClient, asset_id: str) -> None:
    facts = (await owner.get(f"/v1/media/{asset_id}/facts")).json()
    assert (facts["mime_type"], facts["derived_from"], facts["fitting"]) == ("image/jpeg", None, None)
    assert (await owner.get(f"/v1/media/{UUID(int=1)}/facts")).status_code == 404


async def test_an_asset_is_not_read_without_a_key(served: Served, asset_id: str) -> None:
    async with client_of(served.url) as stranger:
        assert (await stranger.get(f"/v1/media/{asset_id}")).status_code == 401
        assert (await stranger.get(f"/v1/media/{asset_id}/facts")).status_code == 401
