"""Who works here: organizations, their people, departments and queues; and the base of every tenant's row."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apps.core.encryption import EncryptedTextField

ONLINE_FOR = timedelta(minutes=20)  # a client that works renews its access token every 15

_Row = TypeVar("_Row", bound=models.Model)


class Organization(models.Model):
    """A company: the tenant to which every other row belongs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class TenantQuerySet(models.QuerySet[_Row]):
    """Rows of tenants; every query that a person causes starts with `for_organization`."""

    def for_organization(self, organization: Organization | None) -> Self:
        """The rows of one organization; none at all where there is no organization."""
        return self.filter(organization=organization) if organization and organization.pk else self.none()


class TenantModel(models.Model):
    """A row that belongs to one organization."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


class Role(models.TextChoices):
    """What a person may do; each role includes the ones before it."""

    VIEWER = "viewer"  # reads
    AGENT = "agent"  # works conversations and contacts
    ORG_ADMIN = "org_admin"  # everything in the organization
    SUPER_ADMIN = "super_admin"  # also organizations and the Django admin


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail; Django's `createsuperuser` comes through here."""

    def create_user(self, email: str, password: str | None, *, organization: Organization, **fields: Any) -> "User":
        """Create a person of an organization; the e-mail is kept in lower case."""
        user = self.model(email=email.strip().lower(), organization=organization, **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a super_admin; without an organization, in one named Recado."""
        if "organization" not in fields:
            fields["organization"], _ = Organization.objects.get_or_create(slug="recado", defaults={"name": "Recado"})
        return self.create_user(email, password, role=Role.SUPER_ADMIN, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Sign-in names are e-mails in any case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in by e-mail and works in one organization."""

    class AgentStatus(models.TextChoices):
        AVAILABLE = "available"
        BUSY = "busy"
        AWAY = "away"
        OFFLINE = "offline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="users")
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=255, blank=True)
    phone_number = models.CharField(max_length=20, blank=True)
    avatar_url = models.URLField(blank=True)
    bio = models.TextField(blank=True)
    role = models.CharField(max_length=11, choices=Role.choices, default=Role.AGENT)
    email_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    agent_status = models.CharField(max_length=9, choices=AgentStatus.choices, default=AgentStatus.OFFLINE)
    agent_greeting_message = models.TextField(blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    departments: models.ManyToManyField = models.ManyToManyField("Department", blank=True, related_name="users")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.full_name or self.email

    def clean(self) -> None:
        """Forms keep the e-mail in lower case too."""
        super().clean()
        self.email = self.email.strip().lower()

    @property
    def is_online(self) -> bool:
        """Whether a client of theirs was heard of lately."""
        return self.last_seen_at is not None and self.last_seen_at > timezone.now() - ONLINE_FOR

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin lets this person in."""
        return self.role == Role.SUPER_ADMIN

    @property
    def is_superuser(self) -> bool:
        """Whether every permission of the Django admin is granted."""
        return self.is_active and self.role == Role.SUPER_ADMIN

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's admin asks this; roles decide everything else."""
        return self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        """Django's admin asks this to list an app."""
        return self.is_superuser


class SignIn(models.Model):
    """One signed-in session of a person (the `sid` claim of its tokens).

    Live until `expires_at`, unless `revoked_at` is set by sign-out, or the password has changed since, wherever that
    was done.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    password_fingerprint = models.CharField(max_length=128, editable=False, help_text="Of the user's password then.")
    user_agent = models.CharField(max_length=255, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_live(self) -> bool:
        """Whether tokens of this session are still good; costs no query where the user is loaded."""
        return (
            self.revoked_at is None
            and self.expires_at > timezone.now()
            and self.password_fingerprint == self.user.get_session_auth_hash()
        )


class Department(TenantModel):
    """A part of the organization that answers customers."""

    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255)
    description = models.TextField(blank=True)
    color = models.CharField(max_length=7, default="#3B82F6")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="one_department_per_slug")]

    def __str__(self) -> str:
        return self.name


class Queue(TenantModel):
    """Where conversations wait for a person."""

    department = models.ForeignKey(Department, models.SET_NULL, null=True, blank=True, related_name="queues")
    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255)
    color = models.CharField(max_length=7, default="#10B981")
    is_active = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(default=50, help_text="0 to 100; the higher is served first.")
    sla_minutes = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="one_queue_per_slug")]

    def __str__(self) -> str:
        return self.name


class Secret(TenantModel):
    """A password or key for one host, which flows name and nobody reads; it goes to that host and nowhere else."""

    name = models.CharField(max_length=64, help_text="What flows call it: {{secrets.NAME}}.")
    host = models.CharField(max_length=260, help_text="`api.example.com`, or with a port: `api.example.com:8443`.")
    description = models.CharField(max_length=500, blank=True)
    value = EncryptedTextField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    rotated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # also finds it for a request
            models.UniqueConstraint("organization", Lower("name"), name="one_secret_per_name"),
        ]

    def __str__(self) -> str:
        return self.name
