"""The core in the Django admin, and how rows are shown that are facts."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from apps.core.models import OutboxCounter, OutboxEvent


class FactAdmin(admin.ModelAdmin):
    """Rows that the line writes: nobody adds, changes or deletes them by hand."""

    show_full_result_count = False  # a COUNT over millions of rows, for a number that nobody needs

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class FactInline(admin.TabularInline):
    """The same beside the row that it belongs to."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(OutboxEvent)
class OutboxEventAdmin(FactAdmin):
    list_display = ("id", "organization_id", "seq", "type", "subject_id", "created_at")
    list_filter = ("type",)
    search_fields = ("=organization_id", "=subject_id")


@admin.register(OutboxCounter)
class OutboxCounterAdmin(FactAdmin):
    list_display = ("organization_id", "seq")
    search_fields = ("=organization_id",)
