"""Organizations and their people in the Django admin, which only super_admins enter."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db import models

from apps.core.admin import FactAdmin
from apps.organizations.models import Department, Organization, Queue, Secret, SignIn, User

admin.site.unregister(Group)  # roles decide


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    readonly_fields = ("id", "created_at", "updated_at")


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("organization", "email", "full_name", "role")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People; of the password only its method shows. Setting another ends their sessions."""

    add_form = UserCreationForm
    ordering = ("email",)
    list_display = ("email", "full_name", "organization", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    list_select_related = ("organization",)
    search_fields = ("email", "full_name", "organization__name")
    autocomplete_fields = ("organization",)
    filter_horizontal = ("departments",)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ("id", "last_login", "last_seen_at", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("id", "organization", "email", "password", "role", "is_active", "email_verified")}),
        ("Profile", {"fields": ("full_name", "phone_number", "avatar_url", "bio")}),
        ("Work", {"fields": ("agent_status", "agent_greeting_message", "departments")}),
        ("Times", {"fields": ("last_login", "last_seen_at", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("organization", "email", "full_name", "role", "usable_password", "password1", "password2")},
        ),
    )


@admin.register(SignIn)
class SignInAdmin(FactAdmin):
    """Who is signed in from where: facts, not to be edited."""

    list_display = ("user", "ip_address", "user_agent", "created_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip_address")
    date_hierarchy = "created_at"


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin):
    list_display = ("name", "organization", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization",)


@admin.register(Queue)
class QueueAdmin(admin.ModelAdmin):
    list_display = ("name", "organization", "department", "priority", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("organization", "department")
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization", "department")


@admin.register(Secret)
class SecretAdmin(FactAdmin):
    """Which secrets there are, and for which hosts; nobody reads their values."""

    list_display = ("name", "host", "organization", "created_by", "created_at", "rotated_at")
    list_select_related = ("organization", "created_by")
    search_fields = ("name", "host", "organization__name")
    exclude = ("value",)
