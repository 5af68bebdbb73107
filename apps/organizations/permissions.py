"""What each role may do. Deny by default: a view that declares nothing can only be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission

from apps.organizations.models import Role

if TYPE_CHECKING:  # rest_framework.views loads this module as it loads itself
    from rest_framework.request import Request
    from rest_framework.views import APIView

VIEWERS = frozenset(Role.values)
AGENTS = frozenset({Role.AGENT, Role.ORG_ADMIN, Role.SUPER_ADMIN})
ADMINS = frozenset({Role.ORG_ADMIN, Role.SUPER_ADMIN})
SUPER_ADMINS = frozenset({Role.SUPER_ADMIN})

_READ = ["read_chatbot", "read_flow", "read_conversation", "read_contact", "view_available_agents", "view_analytics"]
_WORK = ["update_conversation", "assign_conversation", "transfer_conversation", "create_contact", "update_contact"]
_ADMINISTER = [
    *("create_chatbot", "update_chatbot", "delete_chatbot", "create_flow", "update_flow", "delete_flow"),
    *("create_user", "read_user", "update_user", "delete_user", "manage_roles", "view_agents"),
    *("delete_contact", "export_analytics"),
]
# The names by which a client asks what it may show; the API itself goes by the roles above.
PERMISSIONS: dict[str, list[str]] = {
    Role.VIEWER: _READ,
    Role.AGENT: _READ + _WORK,
    Role.ORG_ADMIN: _READ + _WORK + _ADMINISTER,
    Role.SUPER_ADMIN: ["*"],
}


class RolePermission(BasePermission):
    """Everyone signed in reads, unless the view declares `read_roles`; who writes is the view's `write_roles`.

    A view (or one action of a view set, by the decorator's keyword) that declares no `write_roles` cannot be written to
    by anyone.
    """

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the caller's role may use this method of this view."""
        role = getattr(request.user, "role", None)
        if role not in VIEWERS:
            return False
        if request.method in SAFE_METHODS:
            return role in getattr(view, "read_roles", VIEWERS)
        return role in getattr(view, "write_roles", ())
