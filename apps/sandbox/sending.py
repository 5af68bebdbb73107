"""The business side: a message is accepted or refused; messages are read."""

import time
from typing import Any

from apps.sandbox import faults, identifiers, validation
from apps.sandbox.errors import GraphError
from apps.sandbox.settings import Number
from apps.sandbox.state import Customer, Entry, Sandbox
from apps.sandbox.statuses import Journey
from apps.sandbox.webhooks import Sender

PAIR_BURST, PAIR_RATE = 45, 1 / 6  # messages to one customer: at once, and a second
REENGAGEMENT = (
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
)


def accept(sandbox: Sandbox, sender: Sender, number: Number, body: dict[str, Any]) -> dict[str, Any]:
    """Accept a message and answer as Graph does; raise GraphError for what it refuses."""
    settings = sandbox.settings
    kind = validation.check(body, media=sandbox.media, templates=settings.templates)
    customer = _recipient(sandbox, body)
    if customer.wa_id == number.digits:
        raise GraphError(131021, "Recipient phone number cannot be the sender phone number.")
    _check_rates(sandbox, number, customer)
    is_refused = (
        settings.window != "open"
        and kind != "template"
        and not sandbox.has_open_window(number.phone_number_id, customer.key)
    )
    if is_refused and settings.window == "error":
        raise GraphError(131047, REENGAGEMENT)
    entry = Entry(
        id=identifiers.wamid(customer.key, "out"),
        direction="out",
        phone_number_id=number.phone_number_id,
        customer=customer.key,
        time=time.time(),
        message=body,
        status="accepted",
    )
    sandbox.add(entry)
    journey = Journey(sandbox, sender, number, customer, entry)
    if is_refused:
        journey.fail(code=131047, details=REENGAGEMENT)
    elif fail := sandbox.faults.strike(faults.Fail, customer=customer.key):
        journey.fail(code=fail.code, details=fail.details)
    elif not sandbox.faults.strike(faults.NoStatuses, customer=customer.key):
        journey.follow(kind)
    return _answer(body, customer, entry.id, kind)


def read(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """The business has read a customer's message and those before it; with a typing indicator, it writes."""
    entry = sandbox.entries.get(body.get("message_id", ""))
    if entry is None or entry.direction != "in":
        raise GraphError(131009, "Message ID is invalid.")
    for earlier in sandbox.chats[entry.customer]:
        is_unread = earlier.direction == "in" and earlier.phone_number_id == entry.phone_number_id
        if is_unread and earlier.status != "read":
            sandbox.mark(earlier, "read")
        if earlier is entry:
            break
    indicator = body.get("typing_indicator")
    if indicator is not None:
        if indicator != {"type": "text"}:
            raise GraphError(131009, "Typing indicator type must be 'text'.")
        sandbox.publish({"type": "typing", "customer": entry.customer, "phone_number_id": entry.phone_number_id})
    return {"success": True}


def take_throughput(sandbox: Sandbox, number: Number) -> bool:
    """Count a message, in or out, against the number's throughput; False when that is used up."""
    rate = number.throughput
    return rate == 0 or sandbox.buckets.take(number.phone_number_id, burst=rate, rate=rate)


def _recipient(sandbox: Sandbox, body: dict[str, Any]) -> Customer:
    to = body.get("to")
    if to:
        digits = "".join(filter(str.isdigit, str(to)))
        if not digits:
            raise GraphError(131009, "Recipient phone number is not valid.")
        return sandbox.customer(digits) or sandbox.remember_customer(wa_id=digits, user_id=None)
    user_id = str(body["recipient"])
    return sandbox.customer(user_id) or sandbox.remember_customer(wa_id=None, user_id=user_id)


def _check_rates(sandbox: Sandbox, number: Number, customer: Customer) -> None:
    if not take_throughput(sandbox, number):
        raise GraphError(130429, "Cloud API message throughput has been reached.")
    pair = (number.phone_number_id, customer.key)
    if sandbox.settings.is_pair_limited and not sandbox.buckets.take(pair, burst=PAIR_BURST, rate=PAIR_RATE):
        raise GraphError(
            131056,
            "Too many messages sent from the sender phone number to the same recipient phone number in a short period"
            " of time.",
        )


def _answer(body: dict[str, Any], customer: Customer, wamid: str, kind: str) -> dict[str, Any]:
    if body.get("to"):
        contact = {"input": body["to"], "wa_id": customer.wa_id}
    else:
        contact = {"input": body["recipient"], "user_id": customer.user_id}
    message = {"id": wamid}
    if kind == "template":
        message["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
