"""Logs: one line of key=value or JSON per event, with what looks like a secret taken out."""

import logging
import re
import sys

_SECRETS = re.compile(
    r"(studio_[A-Za-z0-9_-]{16,}"
    r"|(?i:bearer|oauth)\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|(?i:access_token|refresh_token|client_secret|app_secret|appsecret_proof|code|token|sig)=[^&\s\"']+"
    r"|EAA[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}"
    r"|postgres(?:ql)?://[^\s:@/]+:[^\s@]+@)"
)


def redact(text: str) -> str:
    """The text with API keys, tokens and passwords replaced by stars."""
    return _SECRETS.sub("***", text)


class RedactingFormatter(logging.Formatter):
    """Formats as usual, then redacts the whole line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished line without secrets."""
        return redact(super().format(record))


def configure(level: str = "INFO") -> None:
    """Send the logs of the whole process to stderr; libraries that chat are held to warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)-7s %(name)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpx2", "httpcore", "apscheduler", "alembic", "openai", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
