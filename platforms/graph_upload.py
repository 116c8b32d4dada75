"""A video on its way to Meta's upload host: sent from the byte that is known to have arrived, as often as needed.

Progress keys: upload_offset (None: ask first), upload_tries, uploaded.
"""

from core.jsontypes import JsonObject
from platforms.base import Medium, Publish, Step
from platforms.errors import ContentRefused, OutcomeUnknown, Transient
from platforms.graph import UploadHost, json_object, read_answer
from platforms.graph_errors import Verdict, container_error
from platforms.progress import count, inner

MAX_UPLOAD_TRIES = 5
# What the upload host says about a file it has read and cannot use.
_UNUSABLE_FILE = "ProcessingFailedError"


def upload_step(progress: JsonObject, medium: Medium, *, target: JsonObject) -> Step | None:
    """The next call of an upload into ``target`` (what the evidence calls it); None when all of it has arrived."""
    if progress.get("uploaded"):
        return None
    tries = count(progress, "upload_tries")
    if tries and progress.get("upload_offset") is None:
        return Step(name="check_upload", sends=target, delay=2.0**tries)
    sends: JsonObject = {
        **target,
        "asset_id": medium.asset_id,
        "size_bytes": medium.size_bytes,
        "offset": count(progress, "upload_offset"),
    }
    return Step(name="upload", sends=sends)


async def send_rest(host: UploadHost, path: str, publish: Publish, medium: Medium) -> JsonObject:
    """Stream what is missing; answers what to keep. An upload that breaks off is no error before it happens often."""
    offset, token = count(publish.progress, "upload_offset"), publish.credentials.access_token
    try:
        answer = await host.send(
            path,
            token=token,
            content=publish.media.read(medium, start=offset),
            offset=offset,
            size_bytes=medium.size_bytes,
        )
    except OutcomeUnknown as broken:
        return _broken_off(publish, broken.message)
    failure = inner(json_object(answer.body) or {}, "debug_info")
    if failure.get("type") == _UNUSABLE_FILE and failure.get("retriable") is not True:
        said = str(failure.get("message"))
        raise container_error(said, secrets=(token,), otherwise=Verdict(condition=ContentRefused))
    if failure:
        # A wrong offset, a part only, an upload that has all it needs: Meta's record of it knows more.
        return _broken_off(publish, f"Meta interrupted the upload ({failure.get('type')}).")
    body = read_answer(answer, secrets=(token,), repeatable=True)
    return {"uploaded": True} if body.get("success") is True else _broken_off(publish, "Meta denied success.")


def arrived(phase: JsonObject) -> JsonObject:
    """What to keep of an answer's ``uploading_phase``."""
    if phase.get("status") in {"complete", "completed"}:
        return {"uploaded": True}
    # Meta's pages write it with one r and with two.
    return {"upload_offset": max(count(phase, "bytes_transfered"), count(phase, "bytes_transferred"))}


def _broken_off(publish: Publish, message: str) -> JsonObject:
    tries = count(publish.progress, "upload_tries") + 1
    if tries >= MAX_UPLOAD_TRIES:
        raise Transient(message, code="upload_interrupted", start_over=True)
    return {"upload_tries": tries, "upload_offset": None}
