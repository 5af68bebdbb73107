"""Rows for tests, made with what they need and nothing else."""

import itertools
import uuid
from typing import Any

from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings as jwt_settings

from apps.organizations import authentication
from apps.organizations.models import Department, Organization, Queue, Role, SignIn, User

PASSWORD = "Correct-horse-7"
_number = itertools.count(1)


def make_organization(**fields: Any) -> Organization:
    number = next(_number)
    return Organization.objects.create(**{"name": f"Company {number}", "slug": f"company-{number}", **fields})


def make_user(organization: Organization, role: str = Role.AGENT, **fields: Any) -> User:
    """A person whose password is PASSWORD."""
    fields = {"email": f"person-{next(_number)}@example.com", "full_name": "Ana Souza", **fields}
    return User.objects.create_user(fields.pop("email"), PASSWORD, organization=organization, role=role, **fields)


def make_sign_in(user: User, **fields: Any) -> SignIn:
    """A live session of the person."""
    return SignIn.objects.create(
        **{
            "user": user,
            "password_fingerprint": user.get_session_auth_hash(),
            "expires_at": timezone.now() + jwt_settings.REFRESH_TOKEN_LIFETIME,
            **fields,
        }
    )


def make_tokens(user: User, **fields: Any) -> authentication.Tokens:
    """The tokens of a new session of the person."""
    return authentication.issue(make_sign_in(user, **fields))


def make_department(organization: Organization, **fields: Any) -> Department:
    name = f"Department {next(_number)}"
    return Department.objects.create(organization=organization, **{"name": name, "slug": uuid.uuid4().hex, **fields})


def make_queue(organization: Organization, **fields: Any) -> Queue:
    name = f"Queue {next(_number)}"
    return Queue.objects.create(organization=organization, **{"name": name, "slug": uuid.uuid4().hex, **fields})
