"""WhatsApp as a channel of the straight line."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from apps.conversations.channels import Capabilities, Channel, Content, Remedy, SendError, channels
from apps.conversations.items import AccountItem, Item
from apps.conversations.models import ChannelAccount, Message
from apps.meta import graph
from apps.whatsapp import errors, limits, news, parsing, sending
from apps.whatsapp.models import WhatsAppAccount


@channels.register
class WhatsApp(Channel):
    """Meta's WhatsApp Cloud API."""

    key = "whatsapp"
    capabilities = Capabilities(
        max_text=limits.MAX_TEXT,
        window_hours=24,
        templates=True,
        buttons=3,
        list_rows=10,
        pair_burst=45,
        pair_seconds=6,
    )

    def application_secrets(self) -> list[str]:
        return [settings.META_APP_SECRET] if settings.META_APP_SECRET else []

    def addresses(self, payload: Any) -> list[str]:
        return parsing.addresses(payload)

    def split(self, payload: Any) -> Iterator[dict[str, Any]]:
        return parsing.split(payload)

    def parse(self, payload: dict[str, Any]) -> Iterator[Item]:
        return parsing.parse(payload)

    def accounts(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ChannelAccount]:
        return {**WhatsAppAccount.objects.in_bulk(set(ids))}

    def check(self, content: Content) -> None:
        sending.check(content)

    def send(self, message: Message) -> str:
        account = message.account
        assert isinstance(account, WhatsAppAccount)
        body = sending.request_body(message)
        try:
            answer = graph.post(f"{account.phone_number_id}/messages", token=account.access_token, body=body)
        except graph.GraphError as error:
            raise errors.as_send_error(error) from error
        return _external_id(answer)

    def learn(self, account: ChannelAccount, item: AccountItem) -> None:
        news.learn(account, item)


def _external_id(answer: dict[str, Any]) -> str:
    """The id of an accepted message; without one it is accepted all the same, and nobody knows as what."""
    try:
        external_id = answer["messages"][0]["id"]
    except (LookupError, TypeError):
        external_id = None
    if not isinstance(external_id, str) or not external_id:
        raise SendError(Remedy.UNKNOWN, code="no_message_id", title="Meta accepted the message without naming its id.")
    return external_id
