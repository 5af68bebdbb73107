"""/api/v1/auth/: signing in and out, and one's own profile; /api/v1/secrets: what flows may name and nobody reads."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.organizations import permissions, secrets, services
from apps.organizations.authentication import Tokens
from apps.organizations.models import Secret, User
from apps.organizations.serializers import (
    ChangePasswordSerializer,
    DoneSerializer,
    LoginSerializer,
    RefreshSerializer,
    RegisterSerializer,
    RotateSerializer,
    SecretSerializer,
    SignedInSerializer,
    TokenSerializer,
    UserSerializer,
    UseSerializer,
    VerifiedTokenSerializer,
)
from apps.organizations.tenancy import TenantView
from apps.organizations.throttling import SignInThrottle


class PublicView(APIView):
    """Asked before there is a token; a stale one that comes along is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)


class RegisterView(PublicView):
    throttle_scope = "register"

    @extend_schema(request=RegisterSerializer, responses={201: SignedInSerializer})
    def post(self, request: Request) -> Response:
        """Make an organization and its first administrator, signed in."""
        body = RegisterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user, tokens = services.register(request=request, **body.validated_data)
        return Response(_signed_in(user, tokens, "Registration successful"), status.HTTP_201_CREATED)


class LoginView(PublicView):
    throttle_scope = "login"

    @extend_schema(request=LoginSerializer, responses=SignedInSerializer)
    def post(self, request: Request) -> Response:
        """Sign in by e-mail and password."""
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user, tokens = services.sign_in(request=request, **body.validated_data)
        return Response(_signed_in(user, tokens, "Login successful"))


class RefreshView(PublicView):
    throttle_scope = "refresh"

    @extend_schema(request=RefreshSerializer, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        """A new access token; the refresh token is answered back unchanged."""
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(TokenSerializer(services.refresh(**body.validated_data)).data)


class LogoutView(TenantView):
    write_roles = permissions.VIEWERS

    @extend_schema(request=None, responses=DoneSerializer)
    def post(self, request: Request) -> Response:
        """End the session behind the caller's token; a body is not needed."""
        services.sign_out(session=self.session)
        return Response(DoneSerializer({"message": "Logout successful"}).data)


class MeView(TenantView):
    write_roles = permissions.VIEWERS

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        """The caller's own profile."""
        return Response(UserSerializer(self.user).data)

    @extend_schema(request=UserSerializer(partial=True), responses=UserSerializer)
    def patch(self, request: Request) -> Response:
        """Change one's own profile: only what is sent."""
        profile = UserSerializer(self.user, data=request.data, partial=True)
        profile.is_valid(raise_exception=True)
        profile.save()
        return Response(profile.data)

    @extend_schema(request=UserSerializer(partial=True), responses=UserSerializer)
    def put(self, request: Request) -> Response:
        """The same as PATCH."""
        return self.patch(request)


class VerifyTokenView(TenantView):
    @extend_schema(responses=VerifiedTokenSerializer)
    def get(self, request: Request) -> Response:
        """Whose token this is."""
        user = self.user
        facts = {"valid": True, "user_id": user.pk, "organization_id": user.organization_id, "role": user.role}
        return Response(VerifiedTokenSerializer(facts).data)


class ChangePasswordView(TenantView):
    write_roles = permissions.VIEWERS
    throttle_classes = (SignInThrottle,)
    throttle_scope = "login"

    @extend_schema(request=ChangePasswordSerializer, responses=DoneSerializer)
    def post(self, request: Request) -> Response:
        """Choose a new password; every other session of the caller ends."""
        body = ChangePasswordSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.change_password(session=self.session, **body.validated_data)
        return Response(DoneSerializer({"message": "Password changed"}).data)


def _signed_in(user: User, tokens: Tokens, message: str) -> dict[str, object]:
    return SignedInSerializer({"user": user, "token": tokens, "message": message}).data


class KeepersView(TenantView):
    """Secrets are for administrators."""

    read_roles = write_roles = permissions.ADMINS

    def secret(self, pk: UUID) -> Secret:
        """One of the organization's; 404 if there is none."""
        found: Secret = get_object_or_404(Secret.objects.for_organization(self.organization), pk=pk)
        return found


class SecretsView(KeepersView):
    @extend_schema(operation_id="secrets_list", responses=SecretSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The organization's secrets, without their values."""
        rows = Secret.objects.for_organization(self.organization).order_by("name", "pk")
        return Response(SecretSerializer(rows, many=True).data)

    @extend_schema(request=SecretSerializer, responses={201: SecretSerializer})
    def post(self, request: Request) -> Response:
        """Keep a secret for a host."""
        body = SecretSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        secret = secrets.create(organization=self.user.organization, by=self.user, **body.validated_data)
        return Response(SecretSerializer(secret).data, status.HTTP_201_CREATED)


class SecretView(KeepersView):
    @extend_schema(responses=SecretSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One secret, without its value."""
        return Response(SecretSerializer(self.secret(pk)).data)

    @extend_schema(request=SecretSerializer(partial=True), responses=SecretSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is sent; another host needs another value."""
        secret = self.secret(pk)
        body = SecretSerializer(secret, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return Response(SecretSerializer(secrets.update(secret=secret, **body.validated_data)).data)

    @extend_schema(request=SecretSerializer(partial=True), responses=SecretSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        """The same as PATCH."""
        return self.patch(request, pk)

    @extend_schema(parameters=[OpenApiParameter("force", OpenApiTypes.BOOL)], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Forget a secret; 409 says where it is in use, unless `force=true`."""
        secrets.delete(secret=self.secret(pk), by_force=request.query_params.get("force", "").lower() in ("1", "true"))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RotateSecretView(KeepersView):
    @extend_schema(request=RotateSerializer, responses=SecretSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Give a secret a new value, for the same host."""
        secret = self.secret(pk)
        body = RotateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(SecretSerializer(secrets.update(secret=secret, **body.validated_data)).data)


class SecretUsageView(KeepersView):
    @extend_schema(operation_id="secrets_usage_list", responses=UseSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """Where a secret is named."""
        return Response(UseSerializer(secrets.uses(self.secret(pk)), many=True).data)
