"""What each role may do. Deny by default: a view that declares nothing can only be read."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.organizations.models import Role

AGENTS = frozenset({Role.AGENT, Role.ORG_ADMIN, Role.SUPER_ADMIN})
ADMINS = frozenset({Role.ORG_ADMIN, Role.SUPER_ADMIN})
SUPER_ADMINS = frozenset({Role.SUPER_ADMIN})


class RolePermission(BasePermission):
    """Everyone signed in reads, unless the view declares `read_roles`; who writes is the view's `write_roles`.

    A view (or one action of a view set, by the decorator's keyword) that declares no `write_roles` cannot be written to
    by anyone.
    """

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the caller's role may use this method of this view."""
        role = getattr(request.user, "role", None)
        if role not in Role.values:
            return False
        if request.method in SAFE_METHODS:
            return role in getattr(view, "read_roles", Role.values)
        return role in getattr(view, "write_roles", ())
