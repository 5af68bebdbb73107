"""Media: uploaded, looked up, downloaded with the token for five minutes, deleted."""

import base64
import hashlib
import time
from typing import Any

import pytest
import requests
import time_machine

from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

TOKEN = {"Authorization": "Bearer token"}
PICTURE = b"\x89PNG a picture"


def upload(
    meta: SandboxServer, content: bytes = PICTURE, mime_type: str = "image/png", **data: Any
) -> requests.Response:
    return requests.post(
        f"{meta.graph_url}/v25.0/{meta.phone_number_id}/media",
        data={"messaging_product": "whatsapp"} | data,
        files={"file": ("a.png", content, mime_type)},
        headers=TOKEN,
        timeout=10,
    )


def look_up(meta: SandboxServer, media_id: str, method: str = "GET") -> requests.Response:
    return requests.request(method, f"{meta.graph_url}/v25.0/{media_id}", headers=TOKEN, timeout=10)


def test_uploaded_file_is_found_and_downloaded_with_the_token(meta: SandboxServer) -> None:
    media_id = upload(meta).json()["id"]
    found = look_up(meta, media_id).json()

    assert media_id.isdigit()
    assert found == {
        "messaging_product": "whatsapp",
        "url": found["url"],
        "mime_type": "image/png",
        "sha256": hashlib.sha256(PICTURE).hexdigest(),
        "file_size": str(len(PICTURE)),
        "id": media_id,
    }
    assert found["url"].startswith(f"{meta.url}/lookaside/")
    download = requests.get(found["url"], headers=TOKEN, timeout=10)
    assert (download.status_code, download.content) == (200, PICTURE)
    assert download.headers["content-type"] == "image/png"
    assert requests.get(found["url"], timeout=10).status_code == 401


def test_download_address_dies_after_five_minutes(meta: SandboxServer) -> None:
    media_id = upload(meta).json()["id"]
    with time_machine.travel(time.time(), tick=False) as traveller:
        url = look_up(meta, media_id).json()["url"]
        traveller.shift(299)
        assert requests.get(url, headers=TOKEN, timeout=10).status_code == 200
        traveller.shift(2)
        assert requests.get(url, headers=TOKEN, timeout=10).status_code == 404
        fresh = look_up(meta, media_id).json()["url"]
        assert requests.get(fresh, headers=TOKEN, timeout=10).status_code == 200


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 400)])
def test_uploaded_files_id_dies_after_thirty_days(days: int, status: int, meta: SandboxServer) -> None:
    media_id = upload(meta).json()["id"]
    with time_machine.travel(time.time() + days * 86400, tick=False):
        assert look_up(meta, media_id).status_code == status


def test_download_address_cannot_be_prolonged(meta: SandboxServer) -> None:
    url = look_up(meta, upload(meta).json()["id"]).json()["url"]
    assert requests.get(url.replace("ext=1", "ext=2"), headers=TOKEN, timeout=10).status_code == 404


def test_deleted_file_is_gone(business: Business, meta: SandboxServer) -> None:
    media_id = upload(meta).json()["id"]
    url = look_up(meta, media_id).json()["url"]
    assert look_up(meta, media_id, "DELETE").json() == {"success": True}
    assert look_up(meta, media_id).json()["error"]["error_subcode"] == 33
    assert requests.get(url, headers=TOKEN, timeout=10).status_code == 404
    assert business.send({"type": "image", "image": {"id": media_id}}).json()["error"]["code"] == 100


@pytest.mark.parametrize(
    ("content", "mime_type", "data", "code"),
    [
        (b"a" * (5 * 1024 * 1024 + 1), "image/png", {}, 131053),
        (b"a" * (512 * 1024 + 1), "image/webp", {}, 131053),
        (b"", "image/png", {}, 100),
        (PICTURE, "image/png", {"messaging_product": "sms"}, 100),
    ],
    ids=["image above 5 MB", "sticker above 500 KB", "empty file", "other product"],
)
def test_file_that_meta_refuses_is_refused(
    content: bytes, mime_type: str, data: dict[str, str], code: int, meta: SandboxServer
) -> None:
    response = upload(meta, content, mime_type, **data)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


def test_customers_file_comes_by_reference(business: Business, meta: SandboxServer) -> None:
    put = requests.post(f"{meta.url}/api/media", data=PICTURE, headers={"Content-Type": "image/png"}, timeout=10).json()
    meta.say(customer=CUSTOMER, message={"type": "image", "image": {"id": put["id"], "caption": "Veja"}})

    [message] = business.items("messages")
    digest = base64.b64encode(hashlib.sha256(PICTURE).digest()).decode()
    assert message["image"] == {"id": put["id"], "mime_type": "image/png", "sha256": digest, "caption": "Veja"}
    url = look_up(meta, put["id"]).json()["url"]
    assert requests.get(url, headers=TOKEN, timeout=10).content == PICTURE
