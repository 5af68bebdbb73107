"""What the API shows of a number, and what it takes."""

import re
from typing import Any
from uuid import UUID

import phonenumbers
from django.conf import settings
from rest_framework import fields, serializers

from apps.core import encryption
from apps.flows.models import Chatbot
from apps.flows.nodes import nodes
from apps.organizations.permissions import ADMINS
from apps.whatsapp.models import WhatsAppAccount

_TOKEN = re.compile(r"[\x21-\x7e]*")
_ID = re.compile(r"[A-Za-z0-9_-]*")
WEBHOOK_PATH = "/api/v1/whatsapp/webhook"


class TextField(serializers.CharField):
    """Text that may be left out or empty; null empties it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, **kwargs})

    def run_validation(self, data: Any = fields.empty) -> Any:
        """As for any text, once null is an empty one."""
        return super().run_validation("" if data is None else data)


class SecretField(TextField):
    """A secret: shown masked; the mask, sent back, changes nothing, and an empty one removes it."""

    def __init__(self) -> None:
        super().__init__(max_length=4000)

    def to_representation(self, value: str) -> str:
        """The last four characters at most."""
        return encryption.mask(value)

    def to_internal_value(self, data: Any) -> str:
        """What an HTTP header can carry."""
        value = str(super().to_internal_value(data))
        account = getattr(self.parent, "instance", None)
        current = getattr(account, str(self.source)) if isinstance(account, WhatsAppAccount) else ""
        if value and value == encryption.mask(current):
            return str(current)
        if not _TOKEN.fullmatch(value):
            raise serializers.ValidationError("This may hold visible ASCII characters only, and no spaces.")
        return value


class PhoneNumberField(serializers.CharField):
    """A phone number with its country code, possible but not proven; kept in E.164."""

    def to_internal_value(self, data: Any) -> str:
        """+5511999990000, from any way of writing it."""
        digits = re.sub(r"[^0-9]", "", super().to_internal_value(data))
        try:
            number = phonenumbers.parse(f"+{digits}")
        except phonenumbers.NumberParseException:
            raise serializers.ValidationError("This is no phone number with a country code.") from None
        if not phonenumbers.is_possible_number(number):
            raise serializers.ValidationError("This is no possible phone number: its length is wrong.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class MetaIdField(TextField):
    """An id that Meta gave."""

    def __init__(self) -> None:
        super().__init__(max_length=100)

    def to_internal_value(self, data: Any) -> str:
        """Letters, digits and dashes: it becomes a part of a path."""
        value = str(super().to_internal_value(data))
        if not _ID.fullmatch(value):
            raise serializers.ValidationError("This is no id of Meta's.")
        return value


class WhatsAppAccountSerializer(serializers.ModelSerializer[WhatsAppAccount]):
    """A WhatsApp number."""

    organization_id = serializers.UUIDField(read_only=True)
    phone_number = PhoneNumberField(max_length=40)
    display_name = TextField(source="name", max_length=255)
    connection_type = serializers.ChoiceField(WhatsAppAccount.ConnectionType.choices, required=False)
    phone_number_id = MetaIdField()
    whatsapp_business_account_id = MetaIdField()
    access_token = SecretField()
    app_secret = SecretField()
    webhook_verify_token = TextField(source="verify_token", max_length=255, help_text="Shown to administrators.")
    away_message = TextField(max_length=4096)
    webhook_url = serializers.SerializerMethodField(help_text="What Meta's dashboard wants as the callback URL.")
    verified = serializers.SerializerMethodField(help_text="Whether its ids are known to be the organization's.")
    messages_per_second = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    default_chatbot_id = serializers.UUIDField(required=False, allow_null=True)
    default_agent_id = serializers.SerializerMethodField()
    last_seen_at = serializers.DateTimeField(source="last_status_at", read_only=True)

    class Meta:
        model = WhatsAppAccount
        fields = [
            "id",
            "organization_id",
            "phone_number",
            "display_name",
            "connection_type",
            "phone_number_id",
            "whatsapp_business_account_id",
            "access_token",
            "app_secret",
            "webhook_url",
            "webhook_verify_token",
            "verified",
            "verified_at",
            "quality_rating",
            "throughput_level",
            "messaging_limit",
            "messages_per_second",
            "status",
            "status_reason",
            "connected_at",
            "last_seen_at",
            "paused_until",
            "pause_reason",
            "is_active",
            "auto_response_enabled",
            "away_message",
            "default_chatbot_id",
            "default_agent_id",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "verified_at",
            "quality_rating",
            "throughput_level",
            "messaging_limit",
            "status",
            "status_reason",
            "connected_at",
            "paused_until",
            "pause_reason",
        ]

    def get_webhook_url(self, account: WhatsAppAccount) -> str:
        return settings.PUBLIC_URL + WEBHOOK_PATH

    def get_verified(self, account: WhatsAppAccount) -> bool:
        return account.verified_at is not None

    def get_default_agent_id(self, account: WhatsAppAccount) -> str | None:
        return None

    def to_representation(self, account: WhatsAppAccount) -> dict[str, Any]:
        """The number as its reader may see it."""
        shown = super().to_representation(account)
        if self.context["request"].user.role not in ADMINS:
            shown.pop("webhook_verify_token")
        return shown


class CompatibleChatbotSerializer(serializers.ModelSerializer[Chatbot]):
    """A chatbot, as one that could answer on a number."""

    whatsapp_number_id = serializers.SerializerMethodField(help_text="This number, if the chatbot is its default.")
    available_node_types = serializers.SerializerMethodField()
    compatible = serializers.SerializerMethodField()

    class Meta:
        model = Chatbot
        fields = [
            "id",
            "name",
            "description",
            "is_active",
            "whatsapp_number_id",
            "available_node_types",
            "compatible",
        ]

    def get_whatsapp_number_id(self, chatbot: Chatbot) -> UUID | None:
        number = self.context["number"]
        return number.pk if number.default_chatbot_id == chatbot.pk else None

    def get_available_node_types(self, chatbot: Chatbot) -> list[str]:
        return nodes.keys()

    def get_compatible(self, chatbot: Chatbot) -> bool:
        return True


class CompatibleChatbotListSerializer(serializers.Serializer):
    """All chatbots that can answer on a number."""

    total = serializers.IntegerField()
    items = CompatibleChatbotSerializer(many=True)
