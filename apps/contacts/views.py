"""/api/v1/contacts: the people outside."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.contacts import services
from apps.contacts.filters import ContactFilter
from apps.contacts.models import Contact, ContactQuerySet
from apps.contacts.serializers import ContactSerializer, ContactWriteSerializer
from apps.core.pagination import KeysetPagination
from apps.organizations import permissions
from apps.organizations.tenancy import TenantView


class ContactsMixin(TenantView):
    """The tenant's contacts, and who may write them."""

    write_roles = permissions.AGENTS

    def rows(self) -> ContactQuerySet:
        """The organization's contacts, with their identities."""
        return Contact.objects.for_organization(self.organization).prefetch_related("identities")

    def answer(self, pk: UUID, code: int = status.HTTP_200_OK) -> Response:
        """The contact as it is now; 404 if it is not one of the organization's."""
        return Response(ContactSerializer(get_object_or_404(self.rows(), pk=pk)).data, code)


class ContactsView(ContactsMixin, generics.GenericAPIView):
    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    pagination_class = KeysetPagination

    @extend_schema(responses=ContactSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The organization's contacts, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.rows()))
        return self.get_paginated_response(ContactSerializer(page or [], many=True).data)

    @extend_schema(request=ContactWriteSerializer, responses={201: ContactSerializer})
    def post(self, request: Request) -> Response:
        """Add a contact, known by its phone number."""
        body = ContactWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        contact = services.create(organization=self.user.organization, **body.validated_data)
        return self.answer(contact.pk, status.HTTP_201_CREATED)


class ContactView(ContactsMixin):
    @extend_schema(responses=ContactSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One contact."""
        return self.answer(pk)

    @extend_schema(request=ContactWriteSerializer(partial=True), responses=ContactSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        """Change what is sent, and nothing else."""
        contact = get_object_or_404(self.rows(), pk=pk)
        body = ContactWriteSerializer(contact, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        services.update(contact=contact, **body.validated_data)
        return self.answer(pk)

    @extend_schema(request=ContactWriteSerializer(partial=True), responses=ContactSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is sent, and nothing else."""
        return self.put(request, pk)
