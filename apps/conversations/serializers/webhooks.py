"""Webhook items as administrators see them."""

from typing import Any

from rest_framework import serializers

from apps.conversations.models import WebhookItem


class WebhookItemSerializer(serializers.ModelSerializer[WebhookItem]):
    """An item of a webhook that was not simply done. `payload` and `traceback` are null but for super_admins."""

    status = serializers.CharField(source="state")
    event_id = serializers.IntegerField(allow_null=True)
    correlation_id = serializers.UUIDField(source="event.correlation_id", allow_null=True, default=None)
    received_at = serializers.DateTimeField(source="event.received_at", allow_null=True, default=None)
    payload = serializers.SerializerMethodField()
    traceback = serializers.SerializerMethodField()

    class Meta:
        model = WebhookItem
        fields = (
            "id",
            "status",
            "channel",
            "kind",
            "reason",
            "organization_id",
            "account_id",
            "event_id",
            "correlation_id",
            "received_at",
            "created_at",
            "payload",
            "traceback",
        )
        read_only_fields = fields

    def get_payload(self, item: WebhookItem) -> dict[str, Any] | None:
        """The item as the platform sent it."""
        return item.payload if self.context["raw"] else None

    def get_traceback(self, item: WebhookItem) -> str | None:
        """Where our code failed."""
        return item.traceback if self.context["raw"] else None
