"""A journal of every call the pretend world received, for tests that ask what was really sent."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

LENGTH = 20_000
MASK = "***"

# Parameters whose value opens something.
SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "appsecret_proof",
        "client_secret",
        "code",
        "password",
        "fb_exchange_token",
        "input_token",
        "refresh_token",
        "sig",
        "signature",
        "token",
        "authorization",
    }
)


@dataclass(kw_only=True)
class Call:
    """One received call (for ``media.fetch``: one made).

    ``status`` is what went over the wire, None while it is open or when the connection was dropped; ``done`` says
    whether the deed happened (the handler ran and did not refuse); ``fault`` is the kind that it met.
    """

    seq: int
    time: str
    route: str
    method: str
    path: str
    account: str
    parameters: dict[str, str]
    status: int | None = None
    done: bool = False
    finished: bool = False
    fault: str | None = None
    error: dict[str, object] | None = field(default=None)


class Journal:
    """Calls in the order of their arrival, the newest ``LENGTH`` of them; numbers start at 1 and never repeat."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=LENGTH)
        self.last_seq = 0

    def open(self, *, route: str, method: str, path: str, account: str, parameters: dict[str, str]) -> Call:
        """Write down a call on its arrival, with secrets masked."""
        self.last_seq += 1
        call = Call(
            seq=self.last_seq,
            time=datetime.now(UTC).isoformat(),
            route=route,
            method=method,
            path=path,
            account=account,
            parameters={name: MASK if name in SECRET_PARAMETERS else value for name, value in parameters.items()},
        )
        self._calls.append(call)
        return call

    def calls(self, *, route: str | None = None, since_seq: int = 0) -> list[Call]:
        """Calls after ``since_seq``, oldest first; ``route`` None gives all, a trailing * any that begin so."""
        return [call for call in self._calls if call.seq > since_seq and _is_of(call.route, route)]

    def forget(self) -> None:
        """Empty the journal; numbers go on."""
        self._calls.clear()


def _is_of(name: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted
