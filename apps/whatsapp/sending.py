"""A message of ours as the body of Meta's request.

Source: Meta, "Messages: send" and facebook/openapi business-messaging-api v23.0, November 2025.
"""

from collections.abc import Callable
from typing import Any

from apps.contacts.models import ContactIdentity
from apps.conversations.channels import Content, Remedy, SendError
from apps.conversations.models import Conversation, Message
from apps.whatsapp import interactive, limits

_PHONE, _BSUID = ContactIdentity.Kind.PHONE, ContactIdentity.Kind.BSUID


def check(content: Content) -> None:
    """Raise ContentRefused, with the field's name, for what Meta would refuse."""
    checker = _CHECKS.get(content.type)
    if checker is None:
        raise limits.refused("type", f"WhatsApp sends {', '.join(_CHECKS)}, and no {content.type!r}.")
    checker(content.body)


def request_body(message: Message) -> dict[str, Any]:
    """The body of `POST /{phone_number_id}/messages`; a SendError where the contact has no address."""
    body = {
        "messaging_product": "whatsapp",
        **_recipient(message.conversation),
        "type": message.type,
        message.type: _payload(message.type, message.content),
        "biz_opaque_callback_data": str(message.id),
    }
    if message.reply_to:
        body["context"] = {"message_id": message.reply_to}
    return body


def _recipient(conversation: Conversation) -> dict[str, str]:
    """To whom: the group, else the phone number last learnt, else the business-scoped user id last learnt.

    The plus sign keeps Meta from putting the business's own country code before the number.
    """
    if conversation.kind == Conversation.Kind.GROUP:
        return {"recipient_type": "group", "to": conversation.thread}
    identities = sorted(conversation.contact.identities.all(), key=lambda identity: identity.created_at)
    newest = {identity.kind: identity.value for identity in identities}
    if phone := newest.get(_PHONE):
        return {"recipient_type": "individual", "to": f"+{phone}"}
    if user_id := newest.get(_BSUID):
        return {"recipient_type": "individual", "recipient": user_id}
    raise SendError(
        Remedy.FAIL,
        code="no_recipient",
        title="The contact has no WhatsApp address.",
        details="Neither a phone number nor a business-scoped user id of this contact is known.",
    )


def _payload(type: str, content: dict[str, Any]) -> Any:
    match type:
        case "text":
            return {"body": content["text"], "preview_url": bool(content.get("preview_url"))}
        case "image" | "video" | "audio" | "document" | "sticker":
            source = {"id": content["id"]} if content.get("id") else {"link": content["url"]}
            return source | _kept(content, _WITH_FILE[type])
        case "template":
            language = content["language"]
            code = language if isinstance(language, dict) else {"code": language}
            return {"name": content["name"], "language": code} | _kept(content, ("components",))
        case "location":
            place = _kept(content, ("name", "address"))
            return {"latitude": content["latitude"], "longitude": content["longitude"]} | place
        case "contacts":
            return content["contacts"]
    return content


_WITH_FILE = {
    "image": ("caption",),
    "video": ("caption",),
    "audio": ("voice",),
    "document": ("caption", "filename"),
    "sticker": (),
}


def _kept(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the named fields that say something; Meta refuses fields that it does not expect."""
    return {name: content[name] for name in names if content.get(name)}


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "text": limits.check_text,
    "image": limits.check_file,
    "video": limits.check_file,
    "audio": limits.check_file_without_caption,
    "document": limits.check_file,
    "sticker": limits.check_file_without_caption,
    "template": limits.check_template,
    "location": limits.check_location,
    "contacts": limits.check_contacts,
    "interactive": interactive.check,
}
