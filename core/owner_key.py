"""The first owner's API key as this machine keeps it: what the terminal and the demo connect with."""

from pathlib import Path

from core import keys
from core.secrets_file import load_or_create
from core.settings import Settings


def owner_key_file(settings: Settings) -> Path:
    """Where the first owner's generated API key is kept."""
    return settings.data_dir / "owner.key"


def known_owner_key(settings: Settings) -> str | None:
    """The first owner's API key: the one that is set, else the one kept in the data directory, None when neither."""
    if given := settings.bootstrap_key.get_secret_value():
        return given
    path = owner_key_file(settings)
    return load_or_create(path, keys.generate).value if path.exists() else None
