"""The core in the Django admin: most rows are facts, to be read; webhook items can be replayed."""

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest

from apps.conversations import inbound
from apps.conversations.models import (
    AccountAddress,
    Attachment,
    ChannelAccount,
    Conversation,
    ConversationParticipant,
    HandoverLog,
    Message,
    Wakeup,
    WebhookEvent,
    WebhookItem,
)
from apps.core.admin import FactAdmin, FactInline

PREVIEW = 40


class HandoverLogInline(FactInline):
    model = HandoverLog
    readonly_fields = ("created_at",)
    fields = ("epoch", "from_holder", "to_holder", "by", "by_user", "assignee", "reason", "created_at")
    ordering = ("epoch",)


class WakeupInline(FactInline):
    model = Wakeup
    fields = ("key", "due_at")


class ParticipantInline(FactInline):
    model = ConversationParticipant
    fields = ("kind", "participant_id", "first_at", "last_at")


@admin.register(Conversation)
class ConversationAdmin(FactAdmin):
    list_display = ("id", "organization", "contact", "account", "status", "holder", "assignee", "last_message_at")
    list_filter = ("status", "holder", "kind", "priority", "account__channel")
    list_select_related = ("organization", "contact", "account", "assignee")
    search_fields = ("=id", "contact__name", "contact__identities__value", "organization__name")
    search_help_text = "Id, contact's name, phone number or user id, organization."
    inlines = (HandoverLogInline, WakeupInline, ParticipantInline)
    ordering = ("-last_message_at", "-id")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Conversation]:
        """Without the accounts' secrets."""
        return (
            super().get_queryset(request).defer("account__access_token", "account__app_secret", "account__verify_token")
        )


class AttachmentInline(FactInline):
    model = Attachment
    fields = ("type", "mime_type", "filename", "size", "external_id", "url")


@admin.register(Message)
class MessageAdmin(FactAdmin):
    list_display = (
        "id",
        "organization",
        "direction",
        "author",
        "type",
        "preview",
        "status",
        "error_code",
        "created_at",
    )
    list_filter = ("status", "direction", "author", "type")
    list_select_related = ("organization",)
    search_fields = ("=id", "=conversation__id", "=external_id", "=correlation_id", "=error_code")
    search_help_text = "The id of the message or its conversation, the platform's id, correlation id or error code."
    raw_id_fields = ("conversation", "account", "user")
    inlines = (AttachmentInline,)
    ordering = ("-created_at", "-id")

    @admin.display(description="text")
    def preview(self, message: Message) -> str:
        """Enough of the words to recognize it."""
        return message.text if len(message.text) <= PREVIEW else f"{message.text[:PREVIEW]}…"


@admin.register(HandoverLog)
class HandoverLogAdmin(FactAdmin):
    list_display = (
        "conversation_id",
        "organization",
        "epoch",
        "from_holder",
        "to_holder",
        "by",
        "by_user",
        "created_at",
    )
    list_filter = ("to_holder", "by")
    list_select_related = ("organization", "by_user")
    search_fields = ("=conversation__id", "by_user__email", "assignee__email", "organization__name")
    ordering = ("-id",)


@admin.register(ConversationParticipant)
class ConversationParticipantAdmin(FactAdmin):
    list_display = ("conversation_id", "kind", "participant_id", "first_at", "last_at")
    list_filter = ("kind",)
    search_fields = ("=conversation__id", "=participant_id")
    ordering = ("-id",)


@admin.register(Wakeup)
class WakeupAdmin(FactAdmin):
    list_display = ("conversation_id", "key", "due_at")
    search_fields = ("=conversation__id", "key")
    ordering = ("due_at",)


@admin.register(WebhookEvent)
class WebhookEventAdmin(FactAdmin):
    list_display = ("id", "channel", "state", "correlation_id", "received_at", "done_at")
    list_filter = ("state", "channel")
    search_fields = ("=id", "=correlation_id")
    search_help_text = "Id or correlation id."
    fields = ("id", "channel", "state", "correlation_id", "signed_by", "received_at", "done_at", "text")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[WebhookEvent]:
        """The list does without the bodies."""
        return super().get_queryset(request).defer("body")

    @admin.display(description="body")
    def text(self, event: WebhookEvent) -> str:
        """The body as it was received; it is dropped 30 days after it is done."""
        return "(dropped)" if event.body is None else bytes(event.body).decode(errors="replace")


@admin.register(WebhookItem)
class WebhookItemAdmin(FactAdmin):
    list_display = ("id", "state", "channel", "kind", "reason", "organization", "created_at")
    list_filter = ("state", "channel", "kind")
    list_select_related = ("organization",)
    search_fields = ("=id", "=event__id", "=event__correlation_id", "=target", "organization__name")
    search_help_text = "The id of the item or its event, correlation id, the platform's message id, organization."
    raw_id_fields = ("event", "account")
    ordering = ("-created_at", "-id")
    actions = ("replay",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[WebhookItem]:
        """The list does without what the items hold."""
        return super().get_queryset(request).defer("payload", "traceback")

    @admin.action(description="Replay the selected items")
    def replay(self, request: HttpRequest, items: models.QuerySet[WebhookItem]) -> None:
        """Do them again, the oldest first, and say how many are done."""
        left = [inbound.replay(item) for item in items.order_by("created_at", "pk")]
        done = left.count(None)
        self.message_user(request, f"{done} of {len(left)} items are done.", _level(done, len(left)))


def _level(done: int, total: int) -> int:
    return messages.SUCCESS if done == total else messages.WARNING


class AccountAddressInline(FactInline):
    model = AccountAddress
    fields = ("kind", "external_id")


@admin.register(ChannelAccount)
class ChannelAccountAdmin(FactAdmin):
    """What the line knows of every channel's accounts; each channel's own page changes them."""

    list_display = (
        "name",
        "organization",
        "channel",
        "is_active",
        "auto_response_enabled",
        "paused_until",
        "verified_at",
    )
    list_filter = ("channel", "is_active", "auto_response_enabled")
    list_select_related = ("organization",)
    search_fields = ("=id", "name", "addresses__external_id", "organization__name")
    search_help_text = "Id, name, an id by which webhooks name it, organization."
    exclude = ("access_token", "app_secret", "verify_token")
    inlines = (AccountAddressInline,)


@admin.register(AccountAddress)
class AccountAddressAdmin(FactAdmin):
    list_display = ("external_id", "kind", "channel", "account", "organization")
    list_filter = ("channel", "kind")
    list_select_related = ("account", "organization")
    search_fields = ("=external_id",)


@admin.register(Attachment)
class AttachmentAdmin(FactAdmin):
    list_display = ("id", "type", "mime_type", "size", "message")
    list_filter = ("type",)
    list_select_related = ("message",)
    search_fields = ("=message__id", "=external_id")
