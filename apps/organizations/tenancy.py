"""The view that every tenant's view is: it knows who asks, and for which organization."""

from collections.abc import Collection

from rest_framework.views import APIView

from apps.organizations import permissions
from apps.organizations.models import Organization, SignIn, User


class TenantView(APIView):
    """Stands first among a view's bases: who asks, for which tenant, and which roles may."""

    swagger_fake_view = False  # drf-spectacular sets it while it makes the schema, with nobody signed in
    read_roles: Collection[str] = permissions.VIEWERS
    write_roles: Collection[str] = ()

    @property
    def user(self) -> User:
        """The person who asks."""
        user = self.request.user
        assert isinstance(user, User), "a TenantView is for people who are signed in"
        return user

    @property
    def session(self) -> SignIn:
        """The session behind the token with which they ask."""
        session = self.request.auth
        assert isinstance(session, SignIn), "a TenantView is for people who are signed in"
        return session

    @property
    def organization(self) -> Organization | None:
        """Their organization, at no query; None while the schema is made, so that nothing is listed."""
        return None if self.swagger_fake_view else self.user.organization
