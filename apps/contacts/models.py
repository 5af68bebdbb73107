"""The people who write to an organization, and the names by which each platform knows them."""

from typing import Any, ClassVar, Self

from django.db import models

from apps.organizations.models import Department, Organization, TenantModel, TenantQuerySet, User


class ContactQuerySet(TenantQuerySet["Contact"]):
    def matching(self, words: str) -> Self:
        """Contacts whose name, e-mail, company or platform identity contains the words."""
        return self.filter(
            models.Q(name__icontains=words)
            | models.Q(email__icontains=words)
            | models.Q(company__icontains=words)
            | models.Exists(ContactIdentity.objects.filter(contact=models.OuterRef("pk"), value__icontains=words))
        )


class Contact(TenantModel):
    """A person outside the organization."""

    name = models.CharField(max_length=255, blank=True)
    username = models.CharField(max_length=255, blank=True)
    email = models.EmailField(blank=True)
    avatar_url = models.URLField(max_length=1000, blank=True)
    company = models.CharField(max_length=255, blank=True)
    job_title = models.CharField(max_length=255, blank=True)
    notes = models.TextField(blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=list, blank=True)
    is_blocked = models.BooleanField(default=False)
    is_vip = models.BooleanField(default=False)
    assigned_agent = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    assigned_department = models.ForeignKey(Department, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[Any] = ContactQuerySet.as_manager()

    class Meta:
        indexes = [
            # the contacts list, newest first
            models.Index("organization", models.F("created_at").desc(), models.F("id").desc(), name="contacts_newest"),
        ]

    def __str__(self) -> str:
        return self.name or self.username or str(self.id)


class ContactIdentity(models.Model):
    """One name by which a platform knows a contact.

    WhatsApp's business-scoped user id (BSUID, `CC.` and up to 128 characters) comes before the phone number: the
    number may be absent from any webhook. Source: Meta, "Business-scoped user IDs", May 2026.
    """

    class Kind(models.TextChoices):
        BSUID = "bsuid"
        PHONE = "phone"  # digits only, with the country code
        IGSID = "igsid"
        PSID = "psid"
        OPAQUE = "opaque"  # whatever else a webhook called its sender

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    value = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # look-up by identity, and the guard against two contacts for one person
            models.UniqueConstraint(fields=["organization", "kind", "value"], name="one_contact_per_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"
