"""The core's data: accounts and webhooks come in, conversations and messages are kept, work to do is visible."""

from apps.conversations.models.accounts import AccountAddress, ChannelAccount
from apps.conversations.models.conversations import (
    Conversation,
    ConversationParticipant,
    HandoverLog,
    Wakeup,
)
from apps.conversations.models.messages import Attachment, Message
from apps.conversations.models.webhooks import WebhookEvent, WebhookItem

__all__ = [
    "AccountAddress",
    "Attachment",
    "ChannelAccount",
    "Conversation",
    "ConversationParticipant",
    "HandoverLog",
    "Message",
    "Wakeup",
    "WebhookEvent",
    "WebhookItem",
]
