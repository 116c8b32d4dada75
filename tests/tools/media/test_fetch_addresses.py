"""Addresses that lead into the network that Studio runs in: refused however they are written, or come about."""

import pytest

from core.errors import InvalidInput
from tests.tools.media.conftest import PUBLIC, Origin, Resolve, plain, redirect, refusal_of
from tests.tools.media.samples import picture
from tools.media.fetch import MediaFetcher

PHOTO = picture()

# How a private address can be written. PORT is the port of a server that must not be asked.
HOSTILE = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
    "http://017700000001/", "http://127.0.0.1./", "http://[::1]/", "http://[::]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://0/", "http://0.0.0.0/",
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://224.0.0.1/",
    "http://169.254.169.254/latest/meta-data/iam/", "http://2852039166/", "http://0xa9fea9fe/",
    "http://[::ffff:a9fe:a9fe]/", "http://100.100.100.200/", "http://168.63.129.16/", "http://localhost/",
    "http://LOCALHOST/", "https://127.0.0.1/", "http://127.0.0.1:8080/", "http://127.0.0.1:8443/",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
async def test_a_private_address_is_refused_however_it_is_written(strict: MediaFetcher, url: str) -> None:
    refusal = await refusal_of(strict, url)
    assert (type(refusal), refusal.code) == (InvalidInput, "media_url_private")
    assert refusal.action


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "media_url_scheme"), ("ftp://photos.example/a.jpg", "media_url_scheme"),
        ("gopher://127.0.0.1/", "media_url_scheme"), ("data:image/png;base64,AAAA", "media_url_scheme"),
        ("javascript:alert(1)", "media_url_scheme"), ("//photos.example/a.jpg", "media_url_scheme"),
        ("photos.example/a.jpg", "media_url_scheme"), ("", "media_url_scheme"),
        ("http://", "media_url_invalid"), ("http:///a.jpg", "media_url_invalid"),
        ("http://user:hunter2@photos.example/", "media_url_invalid"),
        ("http://photos.example@127.0.0.1/", "media_url_invalid"),
        ("http://photos.example\\@127.0.0.1/", "media_url_invalid"), ("http://[fe80::1%25eth0]/", "media_url_invalid"),
        ("http://12%37.0.0.1/", "media_url_invalid"), ("http://0177.0.0.1/", "media_url_invalid"),
        ("http://①②⑦.⓪.⓪.①/", "media_url_invalid"),
        ("http://127.0.0.1\r\nX: y/", "media_url_invalid"), ("http://[::1/", "media_url_invalid"),
        (f"http://{PUBLIC}:22/", "media_url_invalid"), (f"http://{PUBLIC}:6379/", "media_url_invalid"),
        (f"http://{PUBLIC}:0/", "media_url_invalid"), (f"http://{PUBLIC}:99999/", "media_url_invalid"),
        ("http://" + "a." * 200 + "example/", "media_url_invalid"), ("http://x/" + "a" * 9000, "media_url_invalid"),
    ],
)  # fmt: skip
async def test_an_address_that_is_none_is_refused(strict: MediaFetcher, url: str, code: str) -> None:
    refusal = await refusal_of(strict, url)
    assert refusal.code == code
    assert "hunter2" not in refusal.message + str(refusal.action)


async def test_a_private_server_is_not_even_connected_to(
    strict: MediaFetcher, origin: Origin, resolve: Resolve
) -> None:
    resolve("intranet", ["127.0.0.1"])
    for host in ("127.0.0.1", "2130706433", "intranet"):
        await refusal_of(strict, f"http://{host}:{origin.port}/")
        await refusal_of(strict, f"http://{host}:8080/")
    assert origin.connections == 0


async def test_a_public_address_is_fetched_by_everybody(strict: MediaFetcher, origin: Origin, internet: str) -> None:
    origin.answers["/photo"] = plain(PHOTO)
    assert (await strict.fetch(f"{internet}:8080/photo")).kind == "image"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://127.0.0.1:{port}/secret", "media_url_invalid"), ("http://127.0.0.1/", "media_url_private"),
        ("http://2130706433/", "media_url_private"), ("//169.254.169.254/latest/", "media_url_private"),
        ("http://intranet:8080/", "media_url_private"), ("http://localhost/", "media_url_private"),
        ("http://[::ffff:127.0.0.1]/", "media_url_private"), ("file:///etc/passwd", "media_url_scheme"),
        ("http://me:hunter2@127.0.0.1/", "media_url_invalid"), ("http://[", "media_url_invalid"),
    ],
)  # fmt: skip
async def test_a_redirect_is_checked_like_the_first_address(
    strict: MediaFetcher, origin: Origin, internet: str, resolve: Resolve, location: str, code: str
) -> None:
    resolve("intranet", ["10.0.0.5"])
    origin.answers["/photo"] = redirect(location.format(port=origin.port))
    refusal = await refusal_of(strict, f"{internet}/photo")
    assert refusal.code == code
    assert "hunter2" not in refusal.message
    assert len(origin.requests) == 1


async def test_metadata_services_are_refused_in_the_demo_too(
    demo: MediaFetcher, origin: Origin, resolve: Resolve
) -> None:
    resolve("metadata.google.internal", ["169.254.169.254"])
    for url in ("http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://metadata.google.internal/"):
        assert (await refusal_of(demo, url)).code == "media_url_private"
        origin.answers["/photo"] = redirect(url)
        assert (await refusal_of(demo, origin.url("/photo"))).code == "media_url_private"


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["10.1.2.3"], ["fd00::1"], ["169.254.169.254"], [PUBLIC, "10.1.2.3"], ["::1", PUBLIC]],
)
async def test_a_name_with_a_private_answer_is_refused(
    strict: MediaFetcher, resolve: Resolve, answers: list[str]
) -> None:
    resolve("photos.example", answers)
    assert (await refusal_of(strict, "https://photos.example/a.jpg")).code == "media_url_private"


async def test_a_name_that_changes_its_answer_gains_nothing(
    strict: MediaFetcher, origin: Origin, resolve: Resolve, internet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Public when it is checked, loopback when it is connected to.
    resolve("rebinding.example", [PUBLIC], ["127.0.0.1"])
    monkeypatch.setattr("tools.media.fetch._PORTS", {origin.port})
    origin.answers["/"] = plain(PHOTO)
    refusal = await refusal_of(strict, f"http://rebinding.example:{origin.port}/")
    assert refusal.code == "media_url_private"
    assert origin.requests == []
