"""Media: uploads, ids that die, download addresses that live for five minutes and need the token."""

import base64
import hashlib
import hmac
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from apps.sandbox import identifiers
from apps.sandbox.errors import GraphError
from apps.sandbox.state import Media, Sandbox

ADDRESS_SECONDS = 300
UPLOAD_SECONDS = 30 * 86400  # life of an id that the business uploaded
RECEIVED_SECONDS = 7 * 86400  # life of an id that came in a webhook
MEGABYTE = 1024 * 1024
LIMITS = {
    "audio/aac": 16, "audio/amr": 16, "audio/mpeg": 16, "audio/mp4": 16, "audio/ogg": 16,
    "image/jpeg": 5, "image/png": 5, "image/webp": 0.5, "video/mp4": 16, "video/3gpp": 16,
}  # fmt: skip
DOCUMENT_LIMIT = 100
_address_key = secrets.token_bytes(16)


def store(sandbox: Sandbox, *, content: bytes, mime_type: str, filename: str, seconds: float) -> Media:
    """Keep a file under a new id for so many seconds."""
    medium = Media(
        id=identifiers.object_id(),
        content=content,
        mime_type=mime_type,
        sha256=hashlib.sha256(content).hexdigest(),
        filename=filename,
        expires_at=time.time() + seconds,
    )
    sandbox.media[medium.id] = medium
    return medium


async def upload(sandbox: Sandbox, request: Request) -> dict[str, Any]:
    """Answer `POST /{phone_number_id}/media`."""
    async with request.form() as form:
        if form.get("messaging_product") != "whatsapp":
            raise GraphError(100, message="(#100) The parameter messaging_product is required.")
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise GraphError(100, message="(#100) The parameter file is required.")
        content = await file.read()
        mime_type = (file.content_type or str(form.get("type") or "")).partition(";")[0]
        _check_size(mime_type, len(content))
        medium = store(
            sandbox, content=content, mime_type=mime_type, filename=file.filename or "file", seconds=UPLOAD_SECONDS
        )
    return {"id": medium.id}


def node(sandbox: Sandbox, request: Request, media_id: str, prefix: str) -> dict[str, Any]:
    """Answer `GET /{media_id}` with a download address below the path `prefix`, and `DELETE /{media_id}`."""
    medium = sandbox.media[media_id]
    if medium.expires_at < time.time():
        raise GraphError(100, message="(#100) The media id has expired.", subcode=33)
    if request.method == "DELETE":
        del sandbox.media[media_id]
        return {"success": True}
    expires = str(int(time.time()) + ADDRESS_SECONDS)
    query = urlencode({"mid": media_id, "ext": expires, "hash": _seal(media_id, expires)})
    return {
        "messaging_product": "whatsapp",
        "url": f"{request.url.scheme}://{request.url.netloc}{prefix}/lookaside/whatsapp_business/attachments/?{query}",
        "mime_type": medium.mime_type,
        "sha256": medium.sha256,
        "file_size": str(len(medium.content)),
        "id": medium.id,
    }


def download(sandbox: Sandbox, request: Request) -> Response:
    """Answer a download address: the file, or 404 when the address has died or was never made."""
    media_id, expires = request.query_params.get("mid", ""), request.query_params.get("ext", "")
    medium = sandbox.media.get(media_id)
    is_genuine = hmac.compare_digest(_seal(media_id, expires), request.query_params.get("hash", ""))
    if medium is None or not is_genuine or int(expires) < time.time():
        return Response("", 404)
    return Response(medium.content, media_type=medium.mime_type)


def description(medium: Media) -> dict[str, Any]:
    """What a webhook says about a file that a customer sent."""
    digest = base64.b64encode(bytes.fromhex(medium.sha256)).decode()
    return {"id": medium.id, "mime_type": medium.mime_type, "sha256": digest}


def _check_size(mime_type: str, size: int) -> None:
    limit = LIMITS.get(mime_type, DOCUMENT_LIMIT)
    if not mime_type or not size:
        raise GraphError(100, message="(#100) Param file must be a file with one of the following types.")
    if size > limit * MEGABYTE:
        raise GraphError(131053, f"File size is too big: {size} bytes; at most {limit} MB for {mime_type}.")


def _seal(media_id: str, expires: str) -> str:
    """Makes an address's expiry impossible to change."""
    return hmac.digest(_address_key, f"{media_id}.{expires}".encode(), "sha256").hex()
