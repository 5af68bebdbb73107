"""Contacts in the Django admin."""

from django.contrib import admin

from apps.contacts.models import Contact, ContactIdentity


class ContactIdentityInline(admin.TabularInline):
    model = ContactIdentity
    fields = ("kind", "value", "created_at")
    readonly_fields = ("created_at",)
    exclude = ("organization",)
    extra = 0
    can_delete = False
    max_num = 0


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):
    list_display = ("__str__", "organization", "company", "is_vip", "is_blocked", "created_at")
    list_filter = ("is_vip", "is_blocked")
    list_select_related = ("organization",)
    search_fields = ("=id", "name", "username", "email", "identities__value", "organization__name")
    search_help_text = "Name, e-mail, phone number or user id, organization."
    autocomplete_fields = ("organization", "assigned_agent", "assigned_department")
    readonly_fields = ("id", "created_at", "updated_at")
    inlines = (ContactIdentityInline,)
    show_full_result_count = False
