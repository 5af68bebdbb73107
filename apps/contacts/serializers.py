"""Contacts as the API shows and takes them."""

import re
from typing import Any

import phonenumbers
from rest_framework import serializers

from apps.contacts.models import Contact, ContactIdentity


def unknown(field: type[serializers.Field]) -> serializers.Field:
    """A key that clients of the contract read and Recado has no value for: null."""
    return field(read_only=True, allow_null=True, default=None)


class PhoneDigitsField(serializers.CharField):
    """A phone number in any spelling, kept as digits with the country code; possible, not proven to exist."""

    default_error_messages = {"impossible": "This cannot be a phone number; write it with its country code."}

    def to_internal_value(self, data: Any) -> str:
        """The digits alone."""
        digits = re.sub(r"[\s().+-]", "", super().to_internal_value(data))
        if not (digits.isascii() and digits.isdigit()):
            self.fail("impossible")
        try:
            number = phonenumbers.parse(f"+{digits}")
        except phonenumbers.NumberParseException:
            self.fail("impossible")
        if not phonenumbers.is_possible_number(number):
            self.fail("impossible")
        return digits


class TagsField(serializers.ListField):
    """Names of tags, each once, in the order given."""

    child = serializers.CharField(max_length=50)

    def to_internal_value(self, data: Any) -> list[str]:
        """The names without repetition."""
        return list(dict.fromkeys(super().to_internal_value(data)))


class ContactBriefSerializer(serializers.ModelSerializer[Contact]):
    """A contact inside a conversation."""

    whatsapp_id = serializers.SerializerMethodField()
    phone_number = serializers.SerializerMethodField()
    profile_picture_url = serializers.CharField(source="avatar_url")
    tags = serializers.ListField(child=serializers.CharField())
    attributes = serializers.DictField()

    class Meta:
        model = Contact
        fields = (
            "id",
            "name",
            "username",
            "whatsapp_id",
            "phone_number",
            "profile_picture_url",
            "email",
            "company",
            "tags",
            "attributes",
            "is_vip",
            "is_blocked",
        )
        read_only_fields = fields

    def get_whatsapp_id(self, contact: Contact) -> str | None:
        """The phone number's digits; for a person who hides the number, the business-scoped user id."""
        known = identities(contact)
        return known.get(ContactIdentity.Kind.PHONE) or known.get(ContactIdentity.Kind.BSUID)

    def get_phone_number(self, contact: Contact) -> str | None:
        """The phone number with its plus sign, if it is known."""
        digits = identities(contact).get(ContactIdentity.Kind.PHONE)
        return f"+{digits}" if digits else None


class ContactSerializer(ContactBriefSerializer):
    """A contact as its own page shows it."""

    whatsapp_name = serializers.CharField(source="name")
    whatsapp_profile_pic = serializers.CharField(source="avatar_url")
    identities = serializers.SerializerMethodField()
    assigned_agent_id = serializers.UUIDField(allow_null=True)
    assigned_department_id = serializers.UUIDField(allow_null=True)
    address_street = unknown(serializers.CharField)
    address_city = unknown(serializers.CharField)
    address_state = unknown(serializers.CharField)
    address_country = unknown(serializers.CharField)
    address_postal_code = unknown(serializers.CharField)
    source = unknown(serializers.CharField)  # type: ignore[assignment]  # a key of the shape, not DRF's own
    lifecycle_stage = unknown(serializers.CharField)
    opt_in = unknown(serializers.BooleanField)
    opt_in_date = unknown(serializers.DateTimeField)
    opt_out_date = unknown(serializers.DateTimeField)
    blocked_at = unknown(serializers.DateTimeField)
    blocked_reason = unknown(serializers.CharField)
    last_message_at = unknown(serializers.DateTimeField)
    last_message_received_at = unknown(serializers.DateTimeField)
    last_message_sent_at = unknown(serializers.DateTimeField)
    total_messages_sent = unknown(serializers.IntegerField)
    total_messages_received = unknown(serializers.IntegerField)
    total_conversations = unknown(serializers.IntegerField)

    class Meta(ContactBriefSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *ContactBriefSerializer.Meta.fields,
            "organization_id",
            "whatsapp_name",
            "whatsapp_profile_pic",
            "identities",
            "avatar_url",
            "job_title",
            "notes",
            "assigned_agent_id",
            "assigned_department_id",
            "address_street",
            "address_city",
            "address_state",
            "address_country",
            "address_postal_code",
            "source",
            "lifecycle_stage",
            "opt_in",
            "opt_in_date",
            "opt_out_date",
            "blocked_at",
            "blocked_reason",
            "last_message_at",
            "last_message_received_at",
            "last_message_sent_at",
            "total_messages_sent",
            "total_messages_received",
            "total_conversations",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields  # type: ignore[assignment]

    def get_identities(self, contact: Contact) -> dict[str, str]:
        """Kind of identity -> what the platform calls the contact."""
        return identities(contact)


class ContactWriteSerializer(serializers.ModelSerializer[Contact]):
    """What a contact may be told to be. `whatsapp_id` and `phone_number` are two names of one thing."""

    whatsapp_id = PhoneDigitsField(required=False)
    phone_number = PhoneDigitsField(required=False)
    tags = TagsField(required=False)
    attributes = serializers.DictField(required=False)

    class Meta:
        model = Contact
        fields = (
            "whatsapp_id",
            "phone_number",
            "name",
            "email",
            "avatar_url",
            "company",
            "job_title",
            "notes",
            "tags",
            "attributes",
            "is_vip",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One phone number, whichever of its names it was sent under."""
        numbers = {attrs.pop(name) for name in ("whatsapp_id", "phone_number") if name in attrs}
        if len(numbers) > 1:
            raise serializers.ValidationError({"phone_number": "whatsapp_id and phone_number name two numbers."})
        if numbers:
            attrs["phone"] = numbers.pop()
        elif self.instance is None and not self.partial:
            raise serializers.ValidationError({"whatsapp_id": "This field is required."})
        return attrs


def identities(contact: Contact) -> dict[str, str]:
    """What each platform calls the contact, by kind, the newest of each; no query where they are prefetched."""
    known = sorted(contact.identities.all(), key=lambda identity: identity.created_at)
    return {identity.kind: identity.value for identity in known}
