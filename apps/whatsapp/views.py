"""/api/v1/whatsapp: the organization's numbers."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.flows import services as flows
from apps.flows.models import Chatbot, ChatbotAccount
from apps.organizations import permissions
from apps.organizations.authentication import TenantView
from apps.whatsapp import services
from apps.whatsapp.models import WhatsAppAccount
from apps.whatsapp.serializers import WhatsAppAccountSerializer


class WhatsAppAccountViewSet(TenantView, ListModelMixin, RetrieveModelMixin, GenericViewSet[WhatsAppAccount]):
    serializer_class = WhatsAppAccountSerializer
    write_roles = permissions.ADMINS
    pagination_class = None

    def get_queryset(self) -> QuerySet[WhatsAppAccount]:
        """The numbers, the oldest first, each with its default chatbot."""
        chatbot = ChatbotAccount.objects.filter(account=OuterRef("pk")).values("chatbot_id")[:1]
        numbers = WhatsAppAccount.objects.for_organization(self.organization).present()
        return numbers.annotate(default_chatbot_id=Subquery(chatbot)).order_by("created_at", "pk")

    def create(self, request: Request) -> Response:
        """Connect a number. It is made even if Meta cannot confirm it: `status` and `status_reason` tell."""
        fields, choice = self._read(request, None)
        account = services.create_number(organization=self.user.organization, **fields)
        return self._written(account, choice, status.HTTP_201_CREATED)

    @extend_schema(request=WhatsAppAccountSerializer(partial=True))
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a number: only what is sent."""
        account = self.get_object()
        fields, choice = self._read(request, account)
        services.update_number(account=account, **fields)
        return self._written(account, choice, status.HTTP_200_OK)

    @extend_schema(request=WhatsAppAccountSerializer(partial=True))
    def update(self, request: Request, pk: str) -> Response:
        """The same as PATCH."""
        return self.partial_update(request, pk)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a number; its conversations stay."""
        services.delete_number(account=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Ask Meta about the number now: 424 with Meta's words if it does not confirm it."""
        account = services.check_number(account=self.get_object())
        return Response(self.get_serializer(account).data)

    def _read(self, request: Request, account: WhatsAppAccount | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that were sent, and the default chatbot, if that was."""
        body = self.get_serializer(account, data=request.data, partial=account is not None)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        if "default_chatbot_id" not in fields:
            return fields, {}
        chatbot_id = fields.pop("default_chatbot_id")
        chatbots = Chatbot.objects.for_organization(self.organization)
        return fields, {"chatbot": get_object_or_404(chatbots, pk=chatbot_id) if chatbot_id else None}

    def _written(self, account: WhatsAppAccount, choice: dict[str, Any], code: int) -> Response:
        """The number as it stands now, once its default chatbot is chosen."""
        if choice:
            flows.choose_default_chatbot(account=account, **choice)
        return Response(self.get_serializer(self.get_queryset().get(pk=account.pk)).data, code)
