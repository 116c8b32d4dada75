"""Writing into a repository: blobs, one record under its key, many in one commit, and taking them away."""

import secrets

from sandbox.bluesky import rules
from sandbox.bluesky.calls import XrpcCall
from sandbox.bluesky.cids import cid_of_bytes, cid_of_record
from sandbox.bluesky.errors import XrpcError, invalid_request, server_error
from sandbox.bluesky.repository import COLLECTION, Record, keep_blob, read, remove, uri_of, write

MAX_BLOB_BYTES = 5_242_880
MAX_WRITES = 200
_CREATE, _DELETE = "com.atproto.repo.applyWrites#create", "com.atproto.repo.applyWrites#delete"


async def upload_blob(call: XrpcCall) -> dict[str, object]:
    """POST com.atproto.repo.uploadBlob."""
    if len(call.content) > MAX_BLOB_BYTES:
        raise XrpcError("PayloadTooLarge", "request entity too large", status=413)
    blob = keep_blob(call.world.store, call.account.external_id, call.content, call.content_type)
    return {
        "blob": {"$type": "blob", "ref": {"$link": blob.cid}, "mimeType": blob.mime_type, "size": blob.size},
    }


async def put_record(call: XrpcCall) -> dict[str, object]:
    """POST com.atproto.repo.putRecord: the same again is no change; ``swapRecord`` null wants nothing there."""
    account = call.own_repository()
    record = _new_record(call, call.body.get("rkey"), call.body.get("record"))
    there = read(call.world.store, account, record.rkey)
    answer: dict[str, object] = {
        "uri": uri_of(account, record.rkey),
        "cid": record.cid,
        "validationStatus": "valid",
    }
    if there is not None and there.cid == record.cid:
        return answer
    if "swapRecord" in call.body and call.body["swapRecord"] != (there.cid if there else None):
        raise XrpcError("InvalidSwap", f"Record was at {there.cid if there else 'null'}")
    with call.world.store.transaction():
        write(call.world.store, account, record, now=call.now)
    return {**answer, "commit": _commit()}


async def apply_writes(call: XrpcCall) -> dict[str, object]:
    """POST com.atproto.repo.applyWrites: all or nothing; what cannot be done is an error of the server's."""
    account, writes = call.own_repository(), call.body.get("writes")
    if not isinstance(writes, list) or len(writes) > MAX_WRITES:
        raise invalid_request(f"Too many writes. Max: {MAX_WRITES}")
    results: list[dict[str, object]] = []
    with call.world.store.transaction():
        for each in writes:
            if each.get("collection") != COLLECTION:
                raise invalid_request("The sandbox knows posts alone.")
            results.append(_applied(call, account, each))
    return {"commit": _commit(), "results": results}


def _applied(call: XrpcCall, account: str, given: dict[str, object]) -> dict[str, object]:
    store = call.world.store
    if given.get("$type") == _DELETE:
        if not remove(store, account, str(given.get("rkey"))):
            raise server_error()
        return {"$type": f"{_DELETE}Result"}
    if given.get("$type") != _CREATE:
        raise invalid_request(f"Action not supported: {given.get('$type')}")
    record = _new_record(call, given.get("rkey"), given.get("value"))
    if read(store, account, record.rkey) is not None:
        raise server_error()
    write(store, account, record, now=call.now)
    return {
        "$type": f"{_CREATE}Result",
        "uri": uri_of(account, record.rkey),
        "cid": record.cid,
        "validationStatus": "valid",
    }


async def delete_record(call: XrpcCall) -> dict[str, object]:
    """POST com.atproto.repo.deleteRecord: what is not there is gone already."""
    with call.world.store.transaction():
        gone = remove(call.world.store, call.own_repository(), str(call.body.get("rkey")))
    return {"commit": _commit()} if gone else {}


def _new_record(call: XrpcCall, rkey: object, value: object) -> Record:
    checked = rules.check_record(call.world.store, call.account.external_id, value)
    return Record(rkey=rules.check_key(rkey), cid=cid_of_record(checked), value=checked)


def _commit() -> dict[str, object]:
    return {"cid": cid_of_bytes(secrets.token_bytes(16)), "rev": secrets.token_hex(6)}
