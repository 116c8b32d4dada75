"""HEIC, the photo format of iPhones: read where ``pillow-heif`` is installed."""

import importlib
from functools import cache


@cache
def reads_heic() -> bool:
    """Whether HEIC can be read here; the first call teaches Pillow the format."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return False
    return True
