"""Webhooks as Meta sends them, for cases of which no sample is published."""

from typing import Any

NUMBER_ID = "106540352242922"
WABA_ID = "102290129340398"
CUSTOMER = "5511999990001"


def text(body: str = "Oi", *, id: str = "wamid.1", sender: Any = CUSTOMER, **rest: Any) -> dict[str, Any]:
    """A message of `messages[]`."""
    message = {"id": id, "timestamp": "1749416383", "type": "text", "text": {"body": body}, **rest}
    return message if sender is None else {"from": sender, **message}


def contact(wa_id: Any = CUSTOMER, *, name: str = "Bia", **rest: Any) -> dict[str, Any]:
    """An entry of `contacts[]`."""
    entry = {"profile": {"name": name}, **rest}
    return entry if wa_id is None else {"wa_id": wa_id, **entry}


def change(field: str = "messages", **value: Any) -> dict[str, Any]:
    """A change told to the number."""
    metadata = {"display_phone_number": "551130000000", "phone_number_id": NUMBER_ID}
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def webhook(*changes: dict[str, Any], entry_id: str = WABA_ID) -> dict[str, Any]:
    """A webhook of one entry."""
    return {"object": "whatsapp_business_account", "entry": [{"id": entry_id, "changes": list(changes)}]}
