"""Starting the demo over: its data directory is marked when the demo makes it, and only a marked one is emptied."""

import shutil
from pathlib import Path

from core.errors import Conflict
from core.settings import Settings
from db.embedded.locks import is_free

_MARK = "made-by-the-demo"
_KNOWN = (
    "postgres",
    "media",
    "sandbox.sqlite3",
    "sandbox.sqlite3-wal",
    "sandbox.sqlite3-shm",
    "secret.keys",
    "owner.key",
)


def mark(settings: Settings) -> None:
    """Remember that this data directory holds nothing but the demo's, when it is new."""
    if not settings.data_dir.exists() or not any(settings.data_dir.iterdir()):
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.data_dir / _MARK).touch()


def forget(settings: Settings) -> bool:
    """Remove everything the demo made, so that the next start begins anew; False when there was nothing.

    Raises ``Conflict`` when the data are not the demo's alone, or when a Studio is running on them.
    """
    directory = settings.data_dir
    if not any((directory / name).exists() for name in _KNOWN):
        return False
    if settings.database_url.get_secret_value() or not (directory / _MARK).exists():
        raise Conflict(
            f"The data in {directory} were not made by the demo alone, so they are kept.",
            code="not_the_demo",
            action="Choose a new directory with STUDIO_DATA_DIR, or remove this one by hand if nobody needs it.",
        )
    if not is_free(directory / "postgres" / "users.lock"):
        raise Conflict(
            f"A Studio is running on {directory}.", code="demo_running", action="End it with Ctrl-C, then reset again."
        )
    for name in _KNOWN:
        _remove(directory / name)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
