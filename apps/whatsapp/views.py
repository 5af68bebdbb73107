"""/api/v1/whatsapp: the organization's numbers."""

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.pagination import KeysetPagination
from apps.flows import services as flows
from apps.flows.models import Chatbot, ChatbotAccount, ChatbotQuerySet
from apps.organizations import permissions
from apps.organizations.tenancy import TenantView
from apps.whatsapp import services
from apps.whatsapp.models import WhatsAppAccount
from apps.whatsapp.serializers import CompatibleChatbotListSerializer, WhatsAppAccountSerializer


class NumberBaseView(TenantView, GenericAPIView):
    """The tenant's numbers, and who may write them."""

    serializer_class = WhatsAppAccountSerializer
    write_roles = permissions.ADMINS

    def get_queryset(self) -> QuerySet[WhatsAppAccount]:
        """The organization's numbers, each with its default chatbot."""
        chatbot = ChatbotAccount.objects.filter(account=OuterRef("pk")).values("chatbot_id")[:1]
        numbers = WhatsAppAccount.objects.for_organization(self.organization).present()
        return numbers.annotate(default_chatbot_id=Subquery(chatbot))

    def chatbots(self) -> ChatbotQuerySet:
        """The organization's chatbots."""
        return Chatbot.objects.for_organization(self.organization).present()

    def read(self, request: Request, account: WhatsAppAccount | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that were sent, and the default chatbot, if that was; 404 if there is no such chatbot."""
        body = self.get_serializer(account, data=request.data, partial=account is not None)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        if "default_chatbot_id" not in fields:
            return fields, {}
        chatbot_id = fields.pop("default_chatbot_id")
        return fields, {"chatbot": get_object_or_404(self.chatbots(), pk=chatbot_id) if chatbot_id else None}

    def written(self, account: WhatsAppAccount, choice: dict[str, Any], code: int) -> Response:
        """The number as it stands, once its default chatbot is chosen."""
        if choice:
            flows.choose_default_chatbot(account=account, **choice)
        return Response(self.get_serializer(self.get_queryset().get(pk=account.pk)).data, code)


class NumbersView(NumberBaseView):
    pagination_class = KeysetPagination

    @extend_schema(responses=WhatsAppAccountSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The organization's numbers, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(responses={201: WhatsAppAccountSerializer})
    def post(self, request: Request) -> Response:
        """Connect a number. It is made even if Meta does not confirm it: `status` and `status_reason` tell."""
        fields, choice = self.read(request)
        account = services.create_number(organization=self.user.organization, **fields)
        return self.written(account, choice, status.HTTP_201_CREATED)


class NumberView(NumberBaseView):
    def get(self, request: Request, pk: UUID) -> Response:
        """One number."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=WhatsAppAccountSerializer(partial=True))
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is sent."""
        account = self.get_object()
        fields, choice = self.read(request, account)
        services.update_number(account=account, **fields)
        return self.written(account, choice, status.HTTP_200_OK)

    @extend_schema(request=WhatsAppAccountSerializer(partial=True))
    def put(self, request: Request, pk: UUID) -> Response:
        """The same as PATCH."""
        return self.patch(request, pk)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove a number; its conversations stay."""
        services.delete_number(account=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TestNumberView(NumberBaseView):
    @extend_schema(request=None)
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask Meta about the number now; 424 with Meta's words if it does not confirm it."""
        account = services.check_number(account=self.get_object())
        return self.written(account, {}, status.HTTP_200_OK)


class CompatibleChatbotsView(NumberBaseView):
    @extend_schema(responses=CompatibleChatbotListSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """The chatbots that can answer on the number: WhatsApp carries whatever a flow can say."""
        number = self.get_object()
        chatbots = list(self.chatbots().order_by("-created_at", "-pk"))
        body = {"total": len(chatbots), "items": chatbots}
        return Response(CompatibleChatbotListSerializer(body, context={"number": number}).data)
