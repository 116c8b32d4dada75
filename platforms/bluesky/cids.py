"""The name that the AT Protocol gives a record: the hash of its one canonical form (DAG-CBOR).

A post names the post it answers by address and hash, so that a thread that is written in one commit needs the hashes of
its own posts before anything is sent. Sources: the DAG-CBOR and CID specifications of IPLD, the AT Protocol's data
model.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence

from core.jsontypes import JsonObject, JsonValue

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_FALSE, _TRUE, _NULL = 20, 21, 22
_LINK_TAG = 42
_LINK = "$link"
# CID version 1, DAG-CBOR, SHA-256 of 32 bytes.
_RECORD_CID = bytes((0x01, 0x71, 0x12, 0x20))
_INLINE = 24
_WIDTHS = ((1, 24), (2, 25), (4, 26), (8, 27))


def cid_of(record: JsonObject) -> str:
    """The CID of a record, in base32 as the network writes it ("bafyrei…").

    Raises ``ValueError`` for what the data model has no form for: fractions, and links that are none.
    """
    digest = hashlib.sha256(encoded(record)).digest()
    return "b" + base64.b32encode(_RECORD_CID + digest).decode().rstrip("=").lower()


def encoded(value: JsonValue) -> bytes:
    """A value in DAG-CBOR: shortest heads, keys by length and then by bytes, ``{"$link": cid}`` as a link."""
    match value:
        case None:
            return _head(_SIMPLE, _NULL)
        case bool():
            return _head(_SIMPLE, _TRUE if value else _FALSE)
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case str():
            return _with_head(_TEXT, value.encode())
        case Mapping():
            return _map(value)
        case Sequence():
            return _head(_LIST, len(value)) + b"".join(encoded(item) for item in value)
    raise ValueError(f"{type(value).__name__} has no form in the AT Protocol's data model")


def _map(value: JsonObject) -> bytes:
    if value.keys() == {_LINK}:
        return _head(_TAG, _LINK_TAG) + _with_head(_BYTES, b"\0" + _cid_bytes(value[_LINK]))
    pairs = sorted((key.encode(), encoded(item)) for key, item in value.items())
    pairs.sort(key=lambda pair: len(pair[0]))
    return _head(_MAP, len(pairs)) + b"".join(_with_head(_TEXT, key) + item for key, item in pairs)


def _cid_bytes(cid: JsonValue) -> bytes:
    if not isinstance(cid, str) or not cid.startswith("b"):
        raise ValueError(f"{cid!r} is no CID in base32")
    body = cid[1:].upper()
    return base64.b32decode(body + "=" * (-len(body) % 8))


def _with_head(kind: int, content: bytes) -> bytes:
    return _head(kind, len(content)) + content


def _head(kind: int, number: int) -> bytes:
    if number < _INLINE:
        return bytes((kind << 5 | number,))
    width, mark = next((width, mark) for width, mark in _WIDTHS if number < 256**width)
    return bytes((kind << 5 | mark,)) + number.to_bytes(width, "big")
