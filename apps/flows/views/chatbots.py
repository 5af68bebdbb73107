"""/api/v1/chatbots: the bots of an organization."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.flows import services
from apps.flows.serializers.chatbots import (
    ChatbotListSerializer,
    ChatbotSerializer,
    ChatbotStatsSerializer,
    FullChatbotSerializer,
)
from apps.flows.views.base import FlowsView, PageSerializer


class ChatbotsView(FlowsView):
    @extend_schema(operation_id="chatbots_list", parameters=[PageSerializer], responses=ChatbotListSerializer)
    def get(self, request: Request) -> Response:
        """The organization's chatbots, newest first."""
        page = PageSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        skip, limit = page.validated_data["skip"], page.validated_data["limit"]
        rows = self.chatbots().order_by("-created_at", "-pk")
        body = {"total": rows.count(), "items": rows[skip : skip + limit]}
        return Response(ChatbotListSerializer(body).data)

    @extend_schema(request=ChatbotSerializer, responses={201: ChatbotSerializer})
    def post(self, request: Request) -> Response:
        """Create a chatbot, with its empty main flow."""
        body = ChatbotSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        chatbot = services.create_chatbot(organization=self.user.organization, **body.validated_data)
        return Response(ChatbotSerializer(self.chatbot(chatbot.pk)).data, status.HTTP_201_CREATED)


class ChatbotView(FlowsView):
    @extend_schema(responses=ChatbotSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One chatbot."""
        return Response(ChatbotSerializer(self.chatbot(pk)).data)

    @extend_schema(request=ChatbotSerializer(partial=True), responses=ChatbotSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is sent."""
        chatbot = self.chatbot(pk)
        body = ChatbotSerializer(chatbot, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        services.update_chatbot(chatbot=chatbot, **body.validated_data)
        return Response(ChatbotSerializer(self.chatbot(pk)).data)

    @extend_schema(request=ChatbotSerializer(partial=True), responses=ChatbotSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        """The same as PATCH."""
        return self.patch(request, pk)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete a chatbot and its flows; it answers no more."""
        services.delete_chatbot(chatbot=self.chatbot(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ActivateChatbotView(FlowsView):
    @extend_schema(request=None, responses=ChatbotSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Let a chatbot speak; 400 names the nodes of its main flow that cannot run."""
        services.activate_chatbot(chatbot=self.chatbot(pk))
        return Response(ChatbotSerializer(self.chatbot(pk)).data)


class DeactivateChatbotView(FlowsView):
    @extend_schema(request=None, responses=ChatbotSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Silence a chatbot."""
        services.deactivate_chatbot(chatbot=self.chatbot(pk))
        return Response(ChatbotSerializer(self.chatbot(pk)).data)


class FullChatbotView(FlowsView):
    @extend_schema(responses=FullChatbotSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One chatbot with all its flows."""
        return Response(FullChatbotSerializer(self.chatbot(pk)).data)


class ChatbotStatsView(FlowsView):
    @extend_schema(responses=ChatbotStatsSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """What a chatbot has done so far."""
        return Response(ChatbotStatsSerializer(services.stats(self.chatbot(pk))).data)
