"""Who asks: access tokens, and the signed-in session behind each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework import exceptions, status
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError

from apps.core.errors import DomainError
from apps.organizations.models import SignIn, User

if TYPE_CHECKING:  # rest_framework.views loads this module as it loads itself
    from rest_framework.request import Request


class InvalidToken(DomainError):
    """The token is forged, expired or of another kind, or the session behind it is over."""

    status = status.HTTP_401_UNAUTHORIZED
    code = "token_not_valid"


@dataclass(frozen=True)
class Tokens:
    """What a client is given at sign-in."""

    access: str
    refresh: str
    expires_in: int  # seconds, of the access token


def issue(sign_in: SignIn) -> Tokens:
    """The tokens of a new session; both end with it."""
    refresh = tokens.RefreshToken()
    refresh["type"] = refresh.token_type
    refresh["sub"] = str(sign_in.user_id)
    refresh["sid"] = str(sign_in.pk)
    refresh["exp"] = int(sign_in.expires_at.timestamp())
    return renew(sign_in, refresh=str(refresh))


def renew(sign_in: SignIn, *, refresh: str) -> Tokens:
    """A new access token beside the same refresh token.

    It is not rotated: a client may keep the first one it was given, and stays signed in until that ends.
    """
    access = tokens.AccessToken()
    access["type"] = access.token_type
    access["sub"] = str(sign_in.user_id)
    access["sid"] = str(sign_in.pk)
    access["organization_id"] = str(sign_in.user.organization_id)
    access["role"] = sign_in.user.role
    lifetime = access.lifetime or timedelta()
    return Tokens(access=str(access), refresh=refresh, expires_in=int(lifetime.total_seconds()))


def user_of(access_token: str) -> tuple[User, SignIn]:
    """The person behind an access token and their session, in one query; InvalidToken if either is no longer good."""
    sign_in = _sign_in(access_token, tokens.AccessToken)
    return sign_in.user, sign_in


def session_of(refresh_token: str) -> SignIn:
    """The session behind a refresh token, in one query; InvalidToken if it is over."""
    return _sign_in(refresh_token, tokens.RefreshToken)


def _sign_in(encoded: str, kind: type[tokens.Token]) -> SignIn:
    try:
        token = kind(encoded)  # type: ignore[arg-type]  # annotated as Token, decoded as text
        session = SignIn.objects.select_related("user__organization").get(pk=token["sid"], user=token["sub"])
    except (TokenError, KeyError, SignIn.DoesNotExist):
        raise InvalidToken("The token is invalid or has expired.") from None
    if not (session.is_live and session.user.is_active and session.user.organization.is_active):
        raise InvalidToken("The session is over.")
    return session


class SessionTokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`, good as long as the session behind it is."""

    def authenticate(self, request: Request) -> tuple[User, SignIn] | None:  # type: ignore[override]
        """Set `request.user`, its organization loaded with it, and `request.auth`, the session."""
        header = self.get_header(request)
        encoded = self.get_raw_token(header) if header is not None else None
        if encoded is None:
            return None
        try:
            return user_of(encoded.decode("latin-1"))
        except InvalidToken as error:
            raise exceptions.AuthenticationFailed(error.message, code=error.code) from None


class SessionTokenScheme(SimpleJWTScheme):
    """The same in the OpenAPI schema."""

    target_class = "apps.organizations.authentication.SessionTokenAuthentication"
    name = "bearer"
