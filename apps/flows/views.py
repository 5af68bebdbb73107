"""/api/v1/chatbots and /api/v1/flows: the bots of an organization, and what they say."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import Unprocessable
from apps.flows import services
from apps.flows.models import Chatbot, ChatbotQuerySet, Flow, FlowQuerySet
from apps.flows.serializers import (
    ChatbotListSerializer,
    ChatbotSerializer,
    FlowCreateSerializer,
    FlowDetailSerializer,
    FlowListSerializer,
    FlowSerializer,
)
from apps.organizations import permissions
from apps.organizations.tenancy import TenantView


class PageSerializer(serializers.Serializer):
    skip = serializers.IntegerField(min_value=0, max_value=10_000, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)


class FlowsView(TenantView):
    """The tenant's chatbots and flows, and who may write them."""

    write_roles = permissions.ADMINS

    def chatbots(self) -> ChatbotQuerySet:
        """The organization's chatbots, with the accounts on which they answer."""
        return Chatbot.objects.for_organization(self.organization).present().prefetch_related("accounts")

    def flows(self) -> FlowQuerySet:
        """The organization's flows."""
        return Flow.objects.for_organization(self.organization).present().select_related("chatbot")

    def chatbot(self, pk: UUID) -> Chatbot:
        """One of its chatbots; 404 if there is none."""
        return get_object_or_404(self.chatbots(), pk=pk)

    def flow(self, pk: UUID) -> Flow:
        """One of its flows; 404 if there is none."""
        return get_object_or_404(self.flows(), pk=pk)

    def flows_of(self, chatbot: Chatbot) -> dict[str, Any]:
        """All flows of a chatbot, the main one first."""
        flows = list(self.flows().filter(chatbot=chatbot).order_by("-is_main", "created_at", "pk"))
        return {"items": flows, "total": len(flows), "page": 1, "per_page": len(flows)}


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
        return Response(ChatbotSerializer(chatbot).data, status.HTTP_201_CREATED)


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
        return Response(ChatbotSerializer(services.update_chatbot(chatbot=chatbot, **body.validated_data)).data)

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
        return Response(ChatbotSerializer(services.activate_chatbot(chatbot=self.chatbot(pk))).data)


class DeactivateChatbotView(FlowsView):
    @extend_schema(request=None, responses=ChatbotSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Silence a chatbot."""
        return Response(ChatbotSerializer(services.deactivate_chatbot(chatbot=self.chatbot(pk))).data)


class ChatbotFlowsView(FlowsView):
    @extend_schema(operation_id="chatbots_flows_list", responses=FlowListSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """All flows of a chatbot."""
        return Response(FlowListSerializer(self.flows_of(self.chatbot(pk))).data)

    @extend_schema(request=FlowSerializer, responses={201: FlowDetailSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Add a flow to a chatbot."""
        chatbot = self.chatbot(pk)
        body = FlowSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        flow = services.create_flow(chatbot=chatbot, **body.validated_data)
        return Response(FlowDetailSerializer(flow).data, status.HTTP_201_CREATED)


class FlowListView(FlowsView):
    @extend_schema(
        operation_id="flows_list",
        parameters=[OpenApiParameter("chatbot_id", OpenApiTypes.UUID, required=True)],
        responses=FlowListSerializer,
    )
    def get(self, request: Request) -> Response:
        """All flows of the chatbot that `chatbot_id` names."""
        try:
            chatbot_id = UUID(request.query_params.get("chatbot_id", ""))
        except ValueError:
            raise Unprocessable("chatbot_id must be the id of a chatbot.", code="validation_error") from None
        return Response(FlowListSerializer(self.flows_of(self.chatbot(chatbot_id))).data)

    @extend_schema(request=FlowCreateSerializer, responses={201: FlowDetailSerializer})
    def post(self, request: Request) -> Response:
        """Add a flow to the chatbot that `chatbot_id` names."""
        body = FlowCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        flow = services.create_flow(chatbot=self.chatbot(fields.pop("chatbot_id")), **fields)
        return Response(FlowDetailSerializer(flow).data, status.HTTP_201_CREATED)


class FlowView(FlowsView):
    @extend_schema(responses=FlowDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One flow, with what keeps it from running."""
        return Response(FlowDetailSerializer(self.flow(pk)).data)

    @extend_schema(request=FlowSerializer(partial=True), responses=FlowDetailSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is sent; made main or fallback, it takes the place of the one before."""
        flow = self.flow(pk)
        body = FlowSerializer(flow, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return Response(FlowDetailSerializer(services.update_flow(flow=flow, **body.validated_data)).data)

    @extend_schema(request=FlowSerializer(partial=True), responses=FlowDetailSerializer)
    def put(self, request: Request, pk: UUID) -> Response:
        """The same as PATCH."""
        return self.patch(request, pk)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete a flow."""
        services.delete_flow(flow=self.flow(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ActivateFlowView(FlowsView):
    @extend_schema(request=None, responses=FlowDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Let a flow run; 400 names its nodes that cannot."""
        return Response(FlowDetailSerializer(services.activate_flow(flow=self.flow(pk))).data)


class DeactivateFlowView(FlowsView):
    @extend_schema(request=None, responses=FlowDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Stop a flow."""
        return Response(FlowDetailSerializer(services.deactivate_flow(flow=self.flow(pk))).data)
