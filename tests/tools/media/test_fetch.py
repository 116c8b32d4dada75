"""Fetching media: what arrives, and what nobody can make us fetch."""

import asyncio
import gzip
import hashlib
import socket
import ssl
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.errors import InvalidInput, StudioError, TooLarge, Unavailable
from core.storage import DirectoryStore
from tests.tools.media.conftest import LIMIT, Origin, kept, plain, redirect, refusal_of
from tests.tools.media.samples import archive, film, picture
from tools.media.fetch import MediaFetcher

PHOTO = picture()


async def test_a_photo_arrives_in_the_store(demo: MediaFetcher, store: DirectoryStore, origin: Origin) -> None:
    origin.answers["/latte.gif?x=1"] = plain(PHOTO, "Content-Type: text/html")
    facts = await demo.fetch(f" {origin.url('/latte.gif?x=1')} ")
    assert (facts.mime_type, facts.width, facts.size_bytes) == ("image/jpeg", 64, len(PHOTO))
    assert facts.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert b"".join([chunk async for chunk in store.read(facts.sha256)]) == PHOTO
    head = origin.requests[0].lower()
    assert "accept-encoding: identity" in head
    assert "cookie" not in head
    assert "authorization" not in head


async def test_a_body_without_a_length_arrives(demo: MediaFetcher, origin: Origin) -> None:
    async def chunked(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(PHOTO), 700):
            part = PHOTO[start : start + 700]
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        writer.write(b"0\r\n\r\n")

    origin.answers["/photo"] = chunked
    assert (await demo.fetch(origin.url("/photo"))).size_bytes == len(PHOTO)


async def test_three_redirects_are_followed_and_a_fourth_is_not(demo: MediaFetcher, origin: Origin) -> None:
    for step in range(9):
        origin.answers[f"/{step}"] = redirect(f"/{step + 1}" if step % 2 else origin.url(f"/{step + 1}"))
    origin.answers["/3"] = plain(PHOTO)
    assert (await demo.fetch(origin.url("/0"))).kind == "image"
    origin.answers["/3"] = redirect("/4")
    origin.answers["/4"] = plain(PHOTO)
    assert "more than 3" in (await refusal_of(demo, origin.url("/0"))).message
    origin.answers["/loop"] = redirect("/loop")
    origin.requests.clear()
    assert (await refusal_of(demo, origin.url("/loop"))).code == "media_unreachable"
    assert len(origin.requests) == 4  # the first and three redirects


async def test_no_cookie_goes_from_one_fetch_to_the_next(demo: MediaFetcher, origin: Origin) -> None:
    origin.answers["/photo"] = plain(PHOTO, "Set-Cookie: workspace=first")
    await demo.fetch(origin.url("/photo"))
    await demo.fetch(origin.url("/photo"))
    assert "workspace" not in origin.requests[1]


async def test_a_proxy_in_the_environment_is_ignored(
    demo: MediaFetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    origin.answers["/photo"] = plain(PHOTO)
    assert (await demo.fetch(origin.url("/photo"))).kind == "image"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "media_empty"), (b"<html>sign in</html>", "media_type"), (archive(), "media_type"),
        (PHOTO + archive(), "media_type"), (PHOTO[:1000], "media_truncated"), (film()[:200], "media_truncated"),
    ],
)  # fmt: skip
async def test_what_is_no_medium_is_refused_and_not_kept(
    demo: MediaFetcher, origin: Origin, tmp_path: Path, body: bytes, code: str
) -> None:
    origin.answers["/photo.jpg"] = plain(body, "Content-Type: image/jpeg")
    refusal = await refusal_of(demo, origin.url("/photo.jpg"))
    assert (type(refusal), refusal.code) == (InvalidInput, code)
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("404 Not Found", InvalidInput), ("403 Forbidden", InvalidInput), ("410 Gone", InvalidInput),
        ("204 No Content", InvalidInput), ("206 Partial Content", InvalidInput), ("304 Not Modified", InvalidInput),
        ("429 Too Many Requests", Unavailable), ("500 Oops", Unavailable), ("503 Later", Unavailable),
    ],
)  # fmt: skip
async def test_another_status_is_named(
    demo: MediaFetcher, origin: Origin, status: str, kind: type[StudioError]
) -> None:
    origin.answers["/photo"] = plain(b"" if status[0] == "3" or status[:3] == "204" else PHOTO, status=status)
    refusal = await refusal_of(demo, origin.url("/photo"))
    assert (type(refusal), refusal.code) == (kind, "media_unreachable")
    assert status[:3] in refusal.message
    assert status[4:] not in refusal.message  # the server's own words do not reach a model


async def test_a_body_without_an_end_is_cut_at_the_limit(demo: MediaFetcher, origin: Origin, tmp_path: Path) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO)
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    origin.answers["/photo"] = endless
    refusal = await refusal_of(demo, origin.url("/photo"))
    assert (type(refusal), refusal.code) == (TooLarge, "media_too_large")
    assert kept(tmp_path) == []


async def test_an_endless_page_is_refused_at_its_beginning(origin: Origin, store: DirectoryStore) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n<!doctype html>")
        while True:
            writer.write(b"<p>more</p>" * 6000)
            await writer.drain()
            sent += 66_000

    origin.answers["/page"] = endless
    unlimited = MediaFetcher(store, allow_private=True, limit_bytes=10**12)
    assert (await refusal_of(unlimited, origin.url("/page"))).code == "media_type"
    assert sent < 20_000_000  # what the sockets' buffers swallow


async def test_a_length_is_believed_when_it_is_too_large_only(
    demo: MediaFetcher, origin: Origin, tmp_path: Path
) -> None:
    origin.answers["/large"] = plain(PHOTO, length=LIMIT + 1)
    assert (await refusal_of(demo, origin.url("/large"))).code == "media_too_large"
    origin.answers["/absurd"] = plain(PHOTO, length=10**40)
    assert (await refusal_of(demo, origin.url("/absurd"))).code in {"media_too_large", "media_unreachable"}
    origin.answers["/longer"] = plain(PHOTO, length=len(PHOTO) + 1)
    refusal = await refusal_of(demo, origin.url("/longer"))
    assert (type(refusal), refusal.code) == (Unavailable, "media_unreachable")
    assert "before the file was complete" in refusal.message
    origin.answers["/shorter"] = plain(PHOTO, length=1000)
    assert (await refusal_of(demo, origin.url("/shorter"))).code == "media_truncated"
    assert kept(tmp_path) == []


async def test_a_compressed_body_is_refused_unread(demo: MediaFetcher, origin: Origin) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for encoding in ("gzip", "GZIP", "deflate", "br", "gzip, gzip"):
        origin.answers["/photo"] = plain(bomb, f"Content-Encoding: {encoding}")
        assert (await refusal_of(demo, origin.url("/photo"))).code == "media_unreadable"
    origin.answers["/photo"] = plain(PHOTO, "Content-Encoding: identity")
    assert (await demo.fetch(origin.url("/photo"))).kind == "image"


async def test_a_silent_server_is_not_waited_for(origin: Origin, store: DirectoryStore) -> None:
    async def silent(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    origin.answers["/photo"] = silent
    refusal = await refusal_of(
        MediaFetcher(store, allow_private=True, limit_bytes=LIMIT, patience=0.2), origin.url("/photo")
    )
    assert (type(refusal), refusal.code) == (Unavailable, "media_unreachable")
    assert "0.2 seconds" in refusal.message


async def test_a_slow_drip_ends_with_the_whole_time(origin: Origin, store: DirectoryStore, tmp_path: Path) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for byte in PHOTO:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)  # the fault itself: never silent for long, never done

    origin.answers["/photo"] = drip
    fetcher = MediaFetcher(store, allow_private=True, limit_bytes=LIMIT, patience=5, total=0.5)
    refusal = await refusal_of(fetcher, origin.url("/photo"))
    assert (type(refusal), refusal.code) == (Unavailable, "media_unreachable")
    assert "within 0.5 seconds" in refusal.message
    assert kept(tmp_path) == []


async def test_what_does_not_speak_http_is_unreachable(demo: MediaFetcher, origin: Origin) -> None:
    async def rude(writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")

    async def endless_head(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")
            await writer.drain()

    async def hangs_up(_: asyncio.StreamWriter) -> None:
        return

    origin.answers.update({"/rude": rude, "/head": endless_head, "/hangs-up": hangs_up})
    for path in ("/rude", "/head", "/hangs-up"):
        assert (await refusal_of(demo, origin.url(path))).code == "media_unreachable"


async def test_nobody_at_home(demo: MediaFetcher) -> None:
    with socket.socket() as taken:  # bound, not listening: refuses
        taken.bind(("127.0.0.1", 0))
        refusal = await refusal_of(demo, f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (type(refusal), refusal.code) == (Unavailable, "media_unreachable")


@pytest.mark.parametrize(("number", "kind"), [(socket.EAI_NONAME, InvalidInput), (socket.EAI_AGAIN, Unavailable)])
async def test_a_name_that_does_not_resolve(
    strict: MediaFetcher, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StudioError]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "as the resolver says it")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    refusal = await refusal_of(strict, "https://phtos.example/a.jpg")
    assert (type(refusal), refusal.code) == (kind, "media_unreachable")
    assert "phtos.example" in refusal.message


async def test_a_certificate_that_nobody_vouches_for_is_named(demo: MediaFetcher, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "server.pem"))

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    refusal = await refusal_of(demo, f"https://localhost:{server.sockets[0].getsockname()[1]}/")
    server.close()
    assert (type(refusal), refusal.code) == (InvalidInput, "media_unreachable")
    assert "certificate" in refusal.message


async def test_a_secret_in_the_url_is_never_repeated(demo: MediaFetcher, origin: Origin) -> None:
    path = "/a.jpg?signature=hunter2"
    for answer in (plain(b"no", status="403 Forbidden"), plain(b"<html>"), plain(PHOTO, length=9**9), redirect(path)):
        origin.answers[path] = answer
        with pytest.raises(StudioError) as refusal:
            await demo.fetch(origin.url(path))
        told = "".join(traceback.format_exception(refusal.value))
        assert "hunter2" not in told + str(refusal.value.action)


def self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path
