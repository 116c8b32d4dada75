"""Names of records and pictures by their content: CIDs over DAG-CBOR and over plain bytes."""

import base64
import hashlib

_DAG_CBOR, _RAW = 0x71, 0x55


def cid_of_record(value: dict[str, object]) -> str:
    """The CID of a record."""
    return _cid(_DAG_CBOR, _cbor(value))


def cid_of_bytes(content: bytes) -> str:
    """The CID of a blob."""
    return _cid(_RAW, content)


def _cid(codec: int, content: bytes) -> str:
    name = bytes([1, codec, 0x12, 32]) + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(name).decode().strip("=").lower()


def _cbor(value: object) -> bytes:
    """DAG-CBOR of what JSON holds; ``{"$link": …}`` is a link. Raises ValueError for fractions."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -value - 1)
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(_cbor, value))
    if isinstance(value, dict):
        return _link(str(value["$link"])) if set(value) == {"$link"} else _object(value)
    raise ValueError("fractions have no form in a record")


def _object(value: dict[str, object]) -> bytes:
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    return _head(5, len(keys)) + b"".join(_cbor(key) + _cbor(value[key]) for key in keys)


def _link(cid: str) -> bytes:
    text = cid[1:].upper()
    content = b"\0" + base64.b32decode(text + "=" * (-len(text) % 8))
    return b"\xd8\x2a" + _head(2, len(content)) + content


def _head(kind: int, number: int) -> bytes:
    if number < 24:  # noqa: PLR2004 - the head holds it itself
        return bytes([kind << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([kind << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")
