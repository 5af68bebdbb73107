"""Chatbots, flows and sessions in the Django admin."""

from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin import FactAdmin
from apps.flows.models import Chatbot, ChatbotAccount, Flow, FlowSession


class ChatbotAccountInline(admin.TabularInline):
    """On which accounts it answers: chosen at the number."""

    model = ChatbotAccount
    extra = 0
    can_delete = False
    fields = readonly_fields = ("account",)

    def has_add_permission(self, request: HttpRequest, obj: Chatbot | None = None) -> bool:
        return False


@admin.register(Chatbot)
class ChatbotAdmin(admin.ModelAdmin):
    """Whether it is active is decided by the API, which compiles its main flow first."""

    list_display = ("name", "organization", "is_active", "created_at", "deleted_at")
    list_filter = ("is_active", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    readonly_fields = ("id", "organization", "is_active", "deleted_at", "created_at", "updated_at")
    inlines = (ChatbotAccountInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Chatbot | None = None) -> bool:
        return False


@admin.register(Flow)
class FlowAdmin(FactAdmin):
    list_display = ("name", "chatbot", "organization", "is_main", "is_active", "updated_at", "deleted_at")
    list_filter = ("is_main", "is_fallback", "is_active", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("chatbot", "organization")
    search_fields = ("name", "chatbot__name", "organization__name")


@admin.register(FlowSession)
class FlowSessionAdmin(FactAdmin):
    list_display = ("id", "flow", "organization", "conversation_id", "created_at", "ended_at", "problem")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), ("problem", admin.EmptyFieldListFilter))
    list_select_related = ("flow", "organization")
    search_fields = ("flow__name", "conversation__id", "problem")
