"""Coming and going: registration, sign-in and its lock-out, sign-out, passwords."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_user_agent
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import slugify
from rest_framework import status
from rest_framework_simplejwt.settings import api_settings as jwt_settings

from apps.core.errors import DomainError
from apps.organizations import authentication, lockout
from apps.organizations.authentication import InvalidToken, Tokens
from apps.organizations.models import Organization, Role, SignIn, User


class RegistrationClosed(DomainError):
    """This server takes no new organizations by itself."""

    status = status.HTTP_403_FORBIDDEN
    code = "registration_closed"


class EmailTaken(DomainError):
    """Someone is registered with this e-mail."""

    code = "email_taken"


class WrongCredentials(DomainError):
    """There is no such person, or the password is not theirs: which of the two is not told."""

    status = status.HTTP_401_UNAUTHORIZED
    code = "wrong_credentials"


class LockedOut(DomainError):
    """Too many wrong passwords for this e-mail from this address."""

    status = status.HTTP_403_FORBIDDEN
    code = "locked_out"


class Inactive(DomainError):
    """The person, or the whole organization, has been switched off."""

    status = status.HTTP_403_FORBIDDEN
    code = "inactive"


class WrongPassword(DomainError):
    """The password that was to confirm a change is not the current one."""

    code = "wrong_password"


@transaction.atomic
def register(
    *, request: HttpRequest, email: str, password: str, full_name: str, organization_name: str
) -> tuple[User, Tokens]:
    """A new organization with its first person, an org_admin, who is signed in at once."""
    if settings.REGISTRATION != "open":
        raise RegistrationClosed("Registration is closed on this server.")
    organization = _create_organization(organization_name)
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                email, password, organization=organization, full_name=full_name, role=Role.ORG_ADMIN
            )
    except IntegrityError:
        raise EmailTaken("Email already registered") from None
    return user, begin_session(request=request, user=user)


def _create_organization(name: str) -> Organization:
    for slug in _free_slugs(slugify(name)[:200] or "organization"):
        organization, is_new = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
        if is_new:
            return organization
    raise AssertionError("the slugs never end")


def _free_slugs(base: str) -> Iterator[str]:
    """`base`, `base-1`, `base-2` and so on, without those in use; one may be taken before it is tried."""
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    for number in count():
        slug = f"{base}-{number}" if number else base
        if slug not in taken:
            yield slug


def sign_in(*, request: HttpRequest, email: str, password: str) -> tuple[User, Tokens]:
    """Check the password and begin a session.

    Five failures for an e-mail from one address lock that pair out for 30 minutes, whether or not the e-mail is
    known. Not atomic: the failure must stay counted although the error is raised.
    """
    if not AxesProxyHandler.is_allowed(request, {"username": email}):
        until = _locked_until(email, lockout.address_of(request))
        raise LockedOut("Too many failed attempts. Try again later.", details={"locked_until": until.isoformat()})
    user = authenticate(request, username=email, password=password)
    if user is None:
        raise WrongCredentials("Incorrect email or password")
    assert isinstance(user, User)
    if not (user.is_active and user.organization.is_active):
        raise Inactive("This account is inactive.")
    return user, begin_session(request=request, user=user)


def _locked_until(email: str, address: str | None) -> datetime:
    attempts = AccessAttempt.objects.filter(username=email, ip_address=address)
    last = attempts.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + settings.AXES_COOLOFF_TIME


@transaction.atomic
def begin_session(*, request: HttpRequest, user: User) -> Tokens:
    """Sign a person in who has just proven who they are; their ended sessions are forgotten."""
    now = timezone.now()
    address = lockout.address_of(request)
    user.sign_ins.filter(expires_at__lt=now).delete()
    session = SignIn.objects.create(
        user=user,
        password_fingerprint=user.get_session_auth_hash(),
        user_agent=get_client_user_agent(request),
        ip_address=address,
        expires_at=now + jwt_settings.REFRESH_TOKEN_LIFETIME,
    )
    user.last_login = user.last_seen_at = now
    user.save(update_fields=["last_login", "last_seen_at"])
    AxesProxyHandler.reset_attempts(username=user.email, ip_address=address)
    return authentication.issue(session)


@transaction.atomic
def refresh(*, refresh_token: str) -> Tokens:
    """A new access token for a session that still lives; the refresh token stays the same."""
    try:
        session = authentication.session_of(refresh_token)
    except InvalidToken:
        raise InvalidToken("Invalid refresh token") from None
    User.objects.filter(pk=session.user_id).update(last_seen_at=timezone.now())
    return authentication.renew(session, refresh=refresh_token)


@transaction.atomic
def sign_out(*, session: SignIn) -> None:
    """End one session: its access and refresh tokens are good for nothing from now on."""
    SignIn.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=timezone.now())


@transaction.atomic
def change_password(*, session: SignIn, current_password: str, new_password: str) -> None:
    """Set a new password, and end every other session of this person, those of the admin pages included."""
    user = User.objects.select_for_update().get(pk=session.user_id)
    if not user.check_password(current_password):
        raise WrongPassword("The current password is incorrect.")
    user.set_password(new_password)
    user.save(update_fields=["password", "updated_at"])
    user.sign_ins.filter(revoked_at=None).exclude(pk=session.pk).update(revoked_at=timezone.now())
    user.sign_ins.filter(pk=session.pk).update(password_fingerprint=user.get_session_auth_hash())
