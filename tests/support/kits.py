"""What the tests of the line need to know of a channel; a new channel adds its kit, and all of them run for it too."""

import time
from abc import ABC, abstractmethod
from typing import Any

from apps.conversations.models import ChannelAccount
from apps.organizations.models import Organization
from tests.support.line import make_number


class Kit(ABC):
    """How one channel's accounts are made and its webhooks look."""

    key: str

    @abstractmethod
    def make_account(self, organization: Organization, address: str, **fields: Any) -> ChannelAccount:
        """A live account with this address."""

    @abstractmethod
    def webhook(self, address: str, *items: dict[str, Any]) -> dict[str, Any]:
        """One webhook with these items, in as few envelopes as the platform would use."""

    @abstractmethod
    def nest(self, address: str, groups: list[list[list[dict[str, Any]]]]) -> dict[str, Any]:
        """One webhook with an entry per group, and in it a change per list of items."""

    @abstractmethod
    def text(self, external_id: str, words: Any, *, customer: str = "5511999990001") -> dict[str, Any]:
        """A text message item."""

    @abstractmethod
    def status(self, external_id: str, status: str, at: int) -> dict[str, Any]:
        """A status item."""


class WhatsAppKit(Kit):
    """WhatsApp's Cloud API."""

    key = "whatsapp"

    def make_account(self, organization: Organization, address: str, **fields: Any) -> ChannelAccount:
        return make_number(organization, address, **fields)

    def webhook(self, address: str, *items: dict[str, Any]) -> dict[str, Any]:
        return self.nest(address, [[list(items)]])

    def nest(self, address: str, groups: list[list[list[dict[str, Any]]]]) -> dict[str, Any]:
        entries = [
            {"id": "200000000000001", "changes": [self._change(address, items) for items in changes]}
            for changes in groups
        ]
        return {"object": "whatsapp_business_account", "entry": entries}

    def text(self, external_id: str, words: Any, *, customer: str = "5511999990001") -> dict[str, Any]:
        now = str(int(time.time()))
        return {"from": customer, "id": external_id, "timestamp": now, "type": "text", "text": {"body": words}}

    def status(self, external_id: str, status: str, at: int) -> dict[str, Any]:
        errors = {"errors": [{"code": 131026, "title": "Message undeliverable"}]} if status == "failed" else {}
        return {"id": external_id, "status": status, "timestamp": str(at), "recipient_id": "5511999990001", **errors}

    def _change(self, address: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        metadata = {"display_phone_number": "551190000001", "phone_number_id": address}
        value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": metadata}
        statuses = [item for item in items if "status" in item]
        messages = [item for item in items if "status" not in item]
        if messages:
            people = {item["from"]: None for item in messages}
            value["contacts"] = [{"wa_id": person, "profile": {"name": f"Cliente {person}"}} for person in people]
            value["messages"] = messages
        if statuses:
            value["statuses"] = statuses
        return {"field": "messages", "value": value}


KITS = [WhatsAppKit()]
