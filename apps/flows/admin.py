"""Chatbots, flows and sessions in the Django admin."""

from base64 import b64encode

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from apps.core.admin import FactAdmin
from apps.flows import numbers
from apps.flows.calling import query
from apps.flows.models import Chatbot, ChatbotAccount, DatabaseConnection, Flow, FlowSession, FlowVersion, FlowVisit


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
    """What must fit together is changed by the API, which looks at it first."""

    list_display = ("name", "organization", "is_active", "created_at", "deleted_at")
    list_filter = ("is_active", ("deleted_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    readonly_fields = (
        "id",
        "organization",
        "is_active",
        "is_fallback",
        "keywords",
        "ab_test_enabled",
        "ab_test_flows",
        "deleted_at",
        "created_at",
        "updated_at",
    )
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
    readonly_fields = ("diagram",)

    @admin.display(description="The last 30 days")
    def diagram(self, flow: Flow) -> str:
        """As an image, for what is in one runs no script."""
        now = timezone.now()
        drawn = numbers.drawn(flow, since=now - numbers.USUAL, until=now)
        return format_html('<img alt="" src="data:image/svg+xml;base64,{}">', b64encode(drawn.encode()).decode())


@admin.register(FlowVersion)
class FlowVersionAdmin(FactAdmin):
    list_display = ("flow", "number", "organization", "published_by", "created_at")
    list_select_related = ("flow", "organization", "published_by")
    search_fields = ("flow__name", "organization__name")


@admin.register(FlowSession)
class FlowSessionAdmin(FactAdmin):
    list_display = ("id", "flow", "organization", "conversation_id", "created_at", "ended_at", "problem")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), ("problem", admin.EmptyFieldListFilter))
    list_select_related = ("flow", "organization")
    search_fields = ("flow__name", "conversation__id", "problem")


@admin.register(FlowVisit)
class FlowVisitAdmin(FactAdmin):
    list_display = ("flow", "node", "exit", "organization", "session_id", "entered_at", "seconds", "error")
    list_select_related = ("flow", "organization")
    search_fields = ("=session__id", "=node")


class DatabaseConnectionForm(forms.ModelForm):
    """The address is written and never read back: left empty, it stays as it is."""

    url = forms.CharField(
        label="URL", required=False, widget=forms.PasswordInput(attrs={"size": 80}), help_text="As it is, if empty."
    )

    class Meta:
        model = DatabaseConnection
        fields = ("organization", "name", "kind", "url", "is_active", "max_rows", "timeout")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip() or self.instance.url
        try:
            query.parts(url)
        except query.NotAnAddress as error:
            raise forms.ValidationError(str(error)) from None
        return url


@admin.register(DatabaseConnection)
class DatabaseConnectionAdmin(admin.ModelAdmin):
    """Who is let in here is a super_admin, and nobody else registers a connection."""

    form = DatabaseConnectionForm
    list_display = ("name", "organization", "kind", "is_active", "max_rows", "timeout", "updated_at")
    list_filter = ("is_active",)
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
