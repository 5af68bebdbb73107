"""What becomes of an accepted message, told by status webhooks."""

import hashlib
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.sandbox import errors, payloads
from apps.sandbox.payloads import Update
from apps.sandbox.settings import Number
from apps.sandbox.state import WINDOW_SECONDS, Customer, Entry, Sandbox
from apps.sandbox.webhooks import Sender

CLIMB = ("accepted", "sent", "delivered", "read", "played")


@dataclass(frozen=True, slots=True)
class Journey:
    """A message on its way from the business to a customer."""

    sandbox: Sandbox
    sender: Sender
    number: Number
    customer: Customer
    entry: Entry

    def follow(self, kind: str) -> None:
        """Schedule the statuses of a message that arrives."""
        settings = self.sandbox.settings
        steps = [("sent", settings.sent_delay)]
        if kind != "reaction":  # of a reaction, Meta says only that it was sent
            steps += [("delivered", settings.delivered_delay), ("read", settings.read_delay)]
        if kind == "audio" and self.entry.message["audio"].get("voice"):
            steps.append(("played", settings.read_delay))
        for status, delay in steps:
            if delay is not None:
                self.sender.schedule(delay, partial(self._report, status))

    def fail(self, *, code: int, details: str) -> None:
        """Schedule the status of a message that never arrives."""
        error = errors.for_status(code, details)
        self.sender.schedule(self.sandbox.settings.sent_delay or 0, partial(self._report, "failed", error))

    def _report(self, status: str, error: dict[str, Any] | None = None) -> None:
        """Send a status webhook, and note the status on the message."""
        customer, entry = self.customer, self.entry
        if status == "failed" or CLIMB.index(status) > CLIMB.index(entry.status):
            self.sandbox.mark(entry, status, error)
        item: dict[str, Any] = {"id": entry.id, "status": status, "timestamp": str(int(time.time()))}
        if customer.wa_id:
            item["recipient_id"] = customer.wa_id
        if customer.user_id and (status != "failed" or not customer.wa_id):
            item["recipient_user_id"] = customer.user_id
        opaque = entry.message.get("biz_opaque_callback_data")
        if opaque:
            item["biz_opaque_callback_data"] = opaque
        if error is not None:
            item["errors"] = [error]
        elif status in ("sent", "delivered"):
            item |= self._price(status)
        self.sender.send(
            Update(number=self.number, kind="statuses", item=item, customer=customer.key, contact=self._contact(status))
        )

    def _contact(self, status: str) -> dict[str, Any] | None:
        """Statuses name the person only where business-scoped ids are in use, and the username not yet on `sent`."""
        if not self.customer.user_id or status == "failed":
            return None
        contact = payloads.contact(self.customer)
        if status == "sent":
            contact["profile"].pop("username", None)
        return contact

    def _price(self, status: str) -> dict[str, Any]:
        """What a status says about money; until v23 also about the conversation."""
        is_template = "template" in self.entry.message
        category = "utility" if is_template else "service"
        priced: dict[str, Any] = {
            "pricing": {
                "billable": is_template,
                "pricing_model": "PMP",
                "type": "regular" if is_template else "free_customer_service",
                "category": category,
            }
        }
        if self.sandbox.settings.status_form == "v23":
            conversation: dict[str, Any] = {
                "id": hashlib.md5(self.entry.id.encode(), usedforsecurity=False).hexdigest(),
                "origin": {"type": category},
            }
            if status == "sent":
                conversation["expiration_timestamp"] = str(int(self.entry.time) + WINDOW_SECONDS)
            priced["conversation"] = conversation
        return priced
