"""/api/v1/auth/: signing in and out, and one's own profile."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.organizations import permissions, services
from apps.organizations.authentication import Tokens
from apps.organizations.models import User
from apps.organizations.serializers import (
    ChangePasswordSerializer,
    DoneSerializer,
    LoginSerializer,
    RefreshSerializer,
    RegisterSerializer,
    SignedInSerializer,
    TokenSerializer,
    UserSerializer,
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
