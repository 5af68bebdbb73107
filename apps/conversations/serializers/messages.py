"""Messages as the API and the socket show them, and what people send."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.conversations.channels import Content
from apps.conversations.models import Attachment, Message

TYPES = ("text", "image", "document", "audio", "video", "template")
SENDER_TYPES = {
    Message.Author.CONTACT: "contact",
    Message.Author.PERSON: "agent",
    Message.Author.BOT: "bot",
    Message.Author.AGENT: "bot",
    Message.Author.SYSTEM: "system",
}


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """A file of a message."""

    class Meta:
        model = Attachment
        fields = ("id", "type", "url", "external_id", "mime_type", "filename", "sha256", "size")
        read_only_fields = fields


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A message; `seq` is its place in the conversation, `status` is "pending" until it was handed to the platform."""

    sender_type = serializers.SerializerMethodField()
    sender_user_id = serializers.UUIDField(source="user_id", allow_null=True)
    message_type = serializers.CharField(source="type")
    content = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    whatsapp_message_id = serializers.SerializerMethodField()
    reactions = serializers.DictField(child=serializers.CharField())
    error_code = serializers.SerializerMethodField()
    error_message = serializers.SerializerMethodField()
    attachments = AttachmentSerializer(many=True)

    class Meta:
        model = Message
        fields = (
            "id",
            "conversation_id",
            "seq",
            "direction",
            "sender_type",
            "sender_user_id",
            "bot_id",
            "message_type",
            "content",
            "attachments",
            "status",
            "whatsapp_message_id",
            "reply_to",
            "reactions",
            "edited_at",
            "revoked_at",
            "client_request_id",
            "processed_by_agent",
            "created_at",
            "received_at",
            "sent_at",
            "delivered_at",
            "read_at",
            "played_at",
            "failed_at",
            "error_code",
            "error_message",
        )
        read_only_fields = fields

    def get_sender_type(self, message: Message) -> str:
        """contact, agent (a person of ours), bot or system."""
        return SENDER_TYPES[Message.Author(message.author)]

    def get_content(self, message: Message) -> dict[str, Any]:
        """What the message says; `text` holds the words that an inbox shows, whatever the type."""
        return {"text": message.text, **message.content} if message.text else message.content

    def get_status(self, message: Message) -> str:
        """received, or pending, unknown, sent, delivered, read, played, failed, cancelled."""
        return "pending" if message.status in (Message.Status.QUEUED, Message.Status.SENDING) else message.status

    def get_whatsapp_message_id(self, message: Message) -> str | None:
        """The platform's id of the message."""
        return message.external_id or None

    def get_error_code(self, message: Message) -> str | None:
        """The platform's code, or ours."""
        return message.error_code or None

    def get_error_message(self, message: Message) -> str | None:
        """What went wrong, in words for people."""
        return ": ".join(filter(None, (message.error_title, message.error_details))) or None


class SendMessageSerializer(serializers.Serializer[Message]):
    """A message to send.

    `content` is, by type: text `{text, preview_url?}`; image, audio, video, document `{url, caption?, filename?}`;
    template `{name, language, components?}`. A `client_request_id` (or the header Idempotency-Key) that was used
    before answers the message that it made.
    """

    message_type = serializers.ChoiceField(choices=TYPES, default="text")
    content = serializers.DictField()
    reply_to = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=512, help_text="The platform's id of a message."
    )
    client_request_id = serializers.CharField(required=False, default="", allow_blank=True, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The words of a message are words."""
        content = attrs["content"]
        for key in ("text", "caption", "filename", "name"):
            if not isinstance(content.get(key, ""), str):
                raise serializers.ValidationError({"content": {key: "It must be a text."}})
        if attrs["message_type"] == "text" and not content.get("text", "").strip():
            raise serializers.ValidationError({"content": {"text": "A text message needs a text."}})
        return attrs


def content(message_type: str, body: dict[str, Any]) -> Content:
    """What a request asks to send, with the words that the inbox shows of it."""
    words = next((body[key] for key in ("text", "caption", "filename", "name") if body.get(key)), "")
    return Content(type=message_type, body=body, text=words)


def shapes(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The shapes of messages whose attachments are prefetched."""
    return list(MessageSerializer(messages, many=True).data)
