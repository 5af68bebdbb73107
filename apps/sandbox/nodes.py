"""Graph's objects besides messages and media: phone numbers, business accounts, templates."""

import re
import zlib
from typing import Any

import orjson
from starlette.requests import Request

from apps.sandbox import errors
from apps.sandbox.errors import GraphError
from apps.sandbox.settings import Number, Template
from apps.sandbox.state import Sandbox
from apps.sandbox.webhooks import Sender

APP = {
    "id": "300000000000001",
    "name": "Recado Sandbox",
    "link": "https://www.facebook.com/games/?app_id=300000000000001",
}
FIELD = re.compile(r"(\w+)(?:\{[^}]*\})?")  # a name, with the fields of a nested object left out
NUMBER_FIELDS = ("id", "display_phone_number", "verified_name", "quality_rating")


async def answer(sandbox: Sandbox, sender: Sender, request: Request, node: str, edge: str | None) -> dict[str, Any]:
    """Answer a request for a number or a business account; raise GraphError for what there is not."""
    number = sandbox.settings.number(node)
    numbers = [number for number in sandbox.settings.numbers if number.waba_id == node]
    match request.method, edge:
        case "GET", None if number is not None:
            return _selected(_number(number), request, NUMBER_FIELDS)
        case "GET", None if numbers:
            account = {"id": node, "name": numbers[0].verified_name, "timezone_id": "25", "currency": "BRL"}
            return _selected(account, request, ("id", "name"))
        case "GET", "phone_numbers" if numbers:
            return {"data": [_selected(_number(number), request, NUMBER_FIELDS) for number in numbers]}
        case "GET", "message_templates" if numbers:
            return {"data": [_template(template) for template in sandbox.settings.templates or ()]}
        case "GET", "subscribed_apps" if numbers:
            return {"data": [{"whatsapp_business_api_data": APP}]}
        case "POST", "subscribed_apps" if numbers:
            return await _subscribe(sender, await request.body())
        case "DELETE", "subscribed_apps" if numbers:
            return {"success": True}
    raise errors.no_such_object(node, request.method)


async def _subscribe(sender: Sender, body: bytes) -> dict[str, Any]:
    """Subscribe; an address given for the account is verified first, as Meta does."""
    chosen = orjson.loads(body) if body else {}
    address = chosen.get("override_callback_uri")
    if address is None:
        return {"success": True}
    if not await sender.verify(address, chosen.get("verify_token", "")):
        raise GraphError(
            2200, message="(#2200) Callback verification failed with the following errors: HTTP Status Code"
        )
    return {"success": True, "data": [{"override_callback_uri": address, "whatsapp_business_api_data": APP}]}


def _selected(node: dict[str, Any], request: Request, standard: tuple[str, ...]) -> dict[str, Any]:
    """Only the fields asked for, and always the id."""
    asked = request.query_params.get("fields")
    names = FIELD.findall(asked) if asked else standard
    return {name: value for name, value in node.items() if name in names or name == "id"}


def _number(number: Number) -> dict[str, Any]:
    return {
        "verified_name": number.verified_name,
        "code_verification_status": "VERIFIED",
        "display_phone_number": number.display_phone_number,
        "quality_rating": number.quality_rating,
        "platform_type": "CLOUD_API",
        "throughput": {"level": number.throughput_level},
        "id": number.phone_number_id,
    }


def _template(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "components": [{"type": "BODY", "text": template.body}],
        "id": str(zlib.crc32(f"{template.name} {template.language}".encode())),
    }
