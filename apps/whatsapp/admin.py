"""WhatsApp numbers in the admin: connected and changed over the API, looked at here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.core import encryption
from apps.whatsapp.models import WhatsAppAccount


@admin.register(WhatsAppAccount)
class WhatsAppAccountAdmin(admin.ModelAdmin):
    list_display = [
        "phone_number",
        "name",
        "organization",
        "status",
        "is_active",
        "auto_response_enabled",
        "quality_rating",
        "messages_per_second",
        "verified_at",
        "paused_until",
        "removed_at",
    ]
    list_filter = ["status", "is_active", "quality_rating", ("removed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organization"]
    search_fields = [
        "phone_number",
        "name",
        "phone_number_id",
        "whatsapp_business_account_id",
        "organization__name",
    ]
    date_hierarchy = "created_at"
    exclude = [
        "access_token",
        "app_secret",
        "app_secret_fingerprint",
        "verify_token",
        "verify_token_fingerprint",
    ]

    @admin.display(description="access token")
    def masked_access_token(self, account: WhatsAppAccount) -> str:
        return encryption.mask(account.access_token)

    @admin.display(description="app secret")
    def masked_app_secret(self, account: WhatsAppAccount) -> str:
        return encryption.mask(account.app_secret)

    def get_readonly_fields(self, request: HttpRequest, obj: WhatsAppAccount | None = None) -> list[str]:
        """Everything but the switches an operator needs in a hurry."""
        switches = {"is_active", "auto_response_enabled", "messages_per_second", "paused_until", "pause_reason"}
        names = [field.name for field in WhatsAppAccount._meta.fields]
        kept = [name for name in names if name not in switches and name not in self.exclude]
        return [*kept, "masked_access_token", "masked_app_secret"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Numbers are connected over the API, which keeps their addresses in step."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """And removed over it, which keeps their conversations."""
        return False
