"""Webhooks as Meta sends them, signed, as the bytes of whole HTTP requests."""

import hashlib
import hmac
import itertools
import json
import time

from apps.sandbox.settings import DEFAULT_NUMBER

PATH = "/api/v1/whatsapp/webhook"
BODY_SIZE = 636  # bytes; what a text message of some forty characters comes to

_wamids = itertools.count(1)
_run = f"{time.time_ns():X}"


def text_message(customer: str, text: str) -> bytes:
    """The body that brings one text message, never the same twice."""
    message = {
        "from": customer,
        "id": f"wamid.{_run}.{next(_wamids):08X}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": DEFAULT_NUMBER.digits,
            "phone_number_id": DEFAULT_NUMBER.phone_number_id,
        },
        "contacts": [{"profile": {"name": f"Cliente {customer}"}, "wa_id": customer}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    body = {"object": "whatsapp_business_account", "entry": [{"id": DEFAULT_NUMBER.waba_id, "changes": [change]}]}
    return json.dumps(body).encode()


def padded(customer: str) -> bytes:
    """A text message that makes a body of exactly BODY_SIZE bytes."""
    bare = len(text_message(customer, ""))
    return text_message(customer, "a" * (BODY_SIZE - bare))


def request(body: bytes, *, secret: str, path: str = PATH) -> bytes:
    """The HTTP request that posts a body, signed with the secret."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
