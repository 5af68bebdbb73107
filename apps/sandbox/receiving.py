"""The customers' side: what they write goes out as webhooks."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from apps.sandbox import identifiers, media, payloads, sending
from apps.sandbox.payloads import Update
from apps.sandbox.settings import Number
from apps.sandbox.state import Entry, Sandbox
from apps.sandbox.webhooks import Post, Sender

ANSWER_SECONDS = 30.0  # how long a caller is kept waiting for the webhook's answer


class Say(BaseModel):
    """A customer's message: plain text, or a whole message object of WhatsApp's webhooks in `message`."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    phone: str | None = Field(default=None, alias="from")
    user_id: str | None = None
    name: str | None = None
    username: str | None = None
    text: str | None = None
    message: dict[str, Any] | None = None
    phone_number_id: str | None = None
    wait: bool = True

    @model_validator(mode="after")
    def _check(self) -> "Say":
        if not self.phone and not self.user_id:
            raise ValueError("one of from and user_id is needed")
        if (self.text is None) == (self.message is None):
            raise ValueError("exactly one of text and message is needed")
        if self.message is not None and not isinstance(self.message.get("type"), str):
            raise ValueError("a message object needs its type")
        if self.message is not None and not str(self.message.get("timestamp", "0")).isdigit():
            raise ValueError("a timestamp is a number of seconds")
        return self


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a customer's message: its id, and the answers its webhook got (none while a fault holds it)."""

    id: str
    answers: list[int]


async def say(sandbox: Sandbox, sender: Sender, number: Number, said: Say) -> Said:
    """Send a customer's message to a number; waits for the webhook's first answer if asked to."""
    wa_id = "".join(filter(str.isdigit, said.phone or "")) or None
    customer = sandbox.remember_customer(wa_id=wa_id, user_id=said.user_id, name=said.name, username=said.username)
    item: dict[str, Any] = {}
    if wa_id:
        item["from"] = wa_id
    if customer.user_id:
        item["from_user_id"] = customer.user_id
    item["id"] = identifiers.wamid(customer.key, "in")
    item["timestamp"] = str(int(time.time()))
    item |= said.message if said.message is not None else {"type": "text", "text": {"body": said.text}}
    _describe_media(sandbox, item)
    sent_at = float(item["timestamp"])
    sandbox.add(
        Entry(
            id=item["id"],
            direction="in",
            phone_number_id=number.phone_number_id,
            customer=customer.key,
            time=sent_at,
            message=item,
            status="pending",
        )
    )
    sandbox.open_window(number.phone_number_id, customer.key, sent_at)
    sending.take_throughput(sandbox, number)
    update = Update(
        number=number, kind="messages", item=item, customer=customer.key, contact=payloads.contact(customer)
    )
    if not said.wait:
        sender.send(update)
        return Said(item["id"], [])
    update.answers = asyncio.get_running_loop().create_future()
    sender.send(update)
    try:
        answers = await asyncio.wait_for(update.answers, ANSWER_SECONDS)
    except TimeoutError:
        answers = []
    return Said(item["id"], answers)


async def forward(sandbox: Sandbox, sender: Sender, body: dict[str, Any]) -> list[int]:
    """Send a webhook body as it is, and answer the HTTP statuses; the messages in it open their windows."""
    settings = sandbox.settings
    secret, url, customer = settings.app_secret, settings.webhook_url, ""
    for value in _values(body):
        number = settings.number(value.get("metadata", {}).get("phone_number_id", ""))
        if number is None:
            continue
        secret, url = number.app_secret or secret, number.webhook_url or url
        for message in value.get("messages", []):
            customer = message.get("from") or message.get("from_user_id") or ""
            sandbox.open_window(number.phone_number_id, customer, time.time())
    return await sender.deliver(Post(url=url, secret=secret, body=body, kind="messages", customer=customer))


def _values(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The `value` objects of a body, as far as it has Meta's form."""
    return [
        change["value"]
        for entry in body.get("entry", [])
        if isinstance(entry, dict)
        for change in entry.get("changes", [])
        if isinstance(change, dict) and isinstance(change.get("value"), dict)
    ]


def _describe_media(sandbox: Sandbox, item: dict[str, Any]) -> None:
    """Say of a file that was put in beforehand what Meta says of it."""
    content = item.get(item["type"])
    if isinstance(content, dict) and content.get("id") in sandbox.media:
        item[item["type"]] = media.description(sandbox.media[content["id"]]) | content
