"""Webhooks of WhatsApp taken apart: into webhooks of one item each, and those into items.

Source: Meta, "Webhooks reference", December 2025. Nothing here raises for what Meta sends; what asks for nothing of us
becomes an ignored item with its reason.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from apps.contacts.services import Person
from apps.conversations.items import (
    AccountItem,
    EditItem,
    IgnoredItem,
    Item,
    MessageItem,
    ReactionItem,
    RevokeItem,
    StatusItem,
    Step,
)
from apps.whatsapp import contents, people, values

_MAX_ID = 512
_MAX_THREAD = 255
_MAX_REASON = 200
_MAX_ERROR_CODE = 50
_MAX_ERROR_TITLE = 255

STATUSES = frozenset({"sent", "delivered", "read", "played", "failed"})
ACCOUNT_FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_update",
        "business_capability_update",
        "business_username_update",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "partner_solutions",
        "payment_configuration_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "template_category_update",
        "template_correct_category_detection",
    }
)
IGNORED_FIELDS = {
    "automatic_events": "Events that Meta guesses from a chat are not kept.",
    "calls": "Calls are not taken.",
    "flows": "WhatsApp Flows are watched in Meta's own manager.",
    "group_lifecycle_update": "Groups are managed on the phone.",
    "group_participants_update": "Groups are managed on the phone.",
    "group_settings_update": "Groups are managed on the phone.",
    "group_status_update": "Groups are managed on the phone.",
    "history": "Chats from before the number was connected are not imported.",
    "smb_app_state_sync": "The phone's address book is not imported.",
    "user_preferences": "Meta itself applies a customer's choice about marketing messages.",
}
_LISTS = {"messages": ("messages", "statuses"), "smb_message_echoes": ("message_echoes",)}


def addresses(payload: Any) -> list[str]:
    """The phone number ids and business account ids that a webhook names, each once."""
    named: dict[str, None] = {}
    for entry, change in _changes(payload):
        for address in (_phone_number_id(values.mapping(change.get("value"))), values.text(entry.get("id"))):
            if address:
                named[address] = None
    return list(named)


def split(payload: Any) -> Iterator[dict[str, Any]]:
    """Webhooks of one item each; what cannot be taken apart stays together."""
    envelope = {name: value for name, value in values.mapping(payload).items() if name != "entry"}
    for entry, change in _changes(payload):
        head = {name: value for name, value in entry.items() if name != "changes"}
        for part in _parts(change):
            yield {**envelope, "entry": [{**head, "changes": [part]}]}


def parse(payload: Any) -> Iterator[Item]:
    """The items of a webhook, one for each part that `split` would make of it."""
    for entry, change in _changes(payload):
        for part in _parts(change):
            yield _item(values.text(entry.get("id")), part)


def _changes(payload: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for entry in values.mappings(values.mapping(payload).get("entry")):
        for change in values.mappings(entry.get("changes")):
            yield entry, change


def _parts(change: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Changes of one message, echo or status each, with the contact that belongs to it."""
    value = values.mapping(change.get("value"))
    names = _LISTS.get(values.text(change.get("field")), ())
    items = [(name, item) for name in names for item in values.mappings(value.get(name))]
    if len(items) < 2:
        yield change
        return
    rest = {name: inner for name, inner in value.items() if name not in (*names, "contacts")}
    contacts = values.mappings(value.get("contacts"))
    senders = {_who(name, item) for name, item in items}
    for name, item in items:
        number, user_id = _who(name, item)
        contact = people.contact_of(contacts, number=number, user_id=user_id, is_sole_sender=len(senders) == 1)
        yield {**change, "value": {**rest, "contacts": [contact] if contact else [], name: [item]}}


def _who(name: str, item: dict[str, Any]) -> tuple[str, str]:
    """The number and user id of the person whom a message, echo or status concerns."""
    number, user_id = {"messages": ("from", "from_user_id"), "message_echoes": ("to", "to_user_id")}.get(
        name, ("recipient_id", "recipient_user_id")
    )
    return values.text(item.get(number)), values.text(item.get(user_id))


def _phone_number_id(value: dict[str, Any]) -> str:
    return values.text(values.mapping(value.get("metadata")).get("phone_number_id"))


def _item(entry_id: str, change: dict[str, Any]) -> Item:
    """The one item of a change that holds no more than one."""
    field = values.text(change.get("field"))
    value = values.mapping(change.get("value"))
    address = _phone_number_id(value)
    for name in _LISTS.get(field, ()):
        for item in values.mappings(value.get(name)):
            if not address:
                return _ignored(entry_id, name, "It names no phone number id.")
            if name == "statuses":
                return _status(address, item)
            return _message(address, item, value, is_echo=name == "message_echoes")
    if field in ACCOUNT_FIELDS:
        return AccountItem(address or entry_id, field, value)
    if field == "messages" and values.mappings(value.get("errors")):
        return AccountItem(address or entry_id, "errors", value)
    if field in IGNORED_FIELDS:
        return _ignored(address or entry_id, field, IGNORED_FIELDS[field])
    reason = "It holds no message and no status." if field in _LISTS else f"Nothing is known of the field {field!r}."
    return _ignored(address or entry_id, field, reason)


def _ignored(address: str, kind: str, reason: str) -> IgnoredItem:
    return IgnoredItem(address, kind or "unknown", reason[:_MAX_REASON])


def _status(address: str, status: dict[str, Any]) -> Item:
    name = values.text(status.get("status"))
    external_id = values.text(status.get("id"))
    reference = values.text(status.get("biz_opaque_callback_data"))
    if name not in STATUSES:
        return _ignored(address, "status", f"Nothing is done about the status {name!r}.")
    if not (external_id or reference) or len(external_id) > _MAX_ID:
        return _ignored(address, "status", "It names no message.")
    at = values.moment(status.get("timestamp"))
    step = _failure(at, status) if name == "failed" else Step(name, at)
    return StatusItem(address, external_id, step, reference)


def _failure(at: datetime | None, status: dict[str, Any]) -> Step:
    """A failed step with its first error; all parts of an error but the code have been seen to be absent."""
    error = next(iter(values.mappings(status.get("errors"))), {})
    return Step(
        "failed",
        at,
        error_code=values.text(error.get("code"))[:_MAX_ERROR_CODE],
        error_title=(values.text(error.get("title")) or values.text(error.get("message")))[:_MAX_ERROR_TITLE],
        error_details=values.text(values.mapping(error.get("error_data")).get("details")),
    )


def _message(address: str, message: dict[str, Any], value: dict[str, Any], *, is_echo: bool) -> Item:
    type = values.text(message.get("type"))
    at = values.moment(message.get("timestamp"))
    match type:
        case "reaction":
            reaction = values.mapping(message.get("reaction"))
            by = "business" if is_echo else "contact"
            target = values.text(reaction.get("message_id"))
            return _about(ReactionItem(address, target, values.text(reaction.get("emoji")), by))
        case "edit":
            edit = values.mapping(message.get("edit"))
            said = contents.read(values.mapping(edit.get("message")))
            return _about(EditItem(address, values.text(edit.get("original_message_id")), said.text, said.content, at))
        case "revoke":
            revoke = values.mapping(message.get("revoke"))
            return _about(RevokeItem(address, values.text(revoke.get("original_message_id")), at))
        case "request_welcome":
            return _ignored(address, type, "Opening a chat is no message.")
    number, user_id = _who("message_echoes" if is_echo else "messages", message)
    contact = people.contact_of(
        values.mappings(value.get("contacts")), number=number, user_id=user_id, is_sole_sender=True
    )
    who = people.person(number=number, user_id=user_id, contact=contact)
    if who is None:
        return _ignored(address, "message", "It does not say who it is from.")
    external_id = values.text(message.get("id")) or _digest(message)
    if len(external_id) > _MAX_ID:
        return _ignored(address, "message", "Its id is too long.")
    if type == "system":
        system = values.mapping(message.get("system"))
        who = people.also_known_as(who, (system.get("user_id"), system.get("wa_id")))
    said = contents.read({"errors": value["errors"], **message} if "errors" in value else message)
    item = MessageItem(
        address=address,
        external_id=external_id,
        person=who,
        type=said.type,
        text=said.text,
        content=said.content,
        sent_at=at,
        reply_to=values.text(values.mapping(message.get("context")).get("id"))[:_MAX_ID],
        media=said.media,
        is_echo=is_echo,
    )
    group_id = values.text(message.get("group_id"))[:_MAX_THREAD]
    return _in_group(item, group_id, who) if group_id else item


def _about(item: ReactionItem | EditItem | RevokeItem) -> Item:
    """The item, if it names the message that it changes."""
    if 0 < len(item.target) <= _MAX_ID:
        return item
    return _ignored(item.address, type(item).__name__.removesuffix("Item").lower(), "It names no message.")


def _in_group(item: MessageItem, group_id: str, participant: Person) -> MessageItem:
    """A message in a group: the conversation is the group's, and the content says who of it wrote."""
    who = dict(participant.identities) | {
        "name": participant.name,
        "username": participant.username,
    }
    return replace(
        item,
        person=people.group(group_id),
        content={**item.content, "participant": {name: text for name, text in who.items() if text}},
        kind="group",
        thread=group_id,
    )


def _digest(message: dict[str, Any]) -> str:
    """An id for a message without one: the same for the same message, sent again."""
    return "sha256:" + hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()
