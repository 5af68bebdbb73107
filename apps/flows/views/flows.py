"""/api/v1/flows: what the bots of an organization say."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import Unprocessable
from apps.flows import graph, services
from apps.flows.serializers.flows import (
    NODES,
    FlowCreateSerializer,
    FlowDetailSerializer,
    FlowListSerializer,
    FlowSerializer,
    FullFlowSerializer,
)
from apps.flows.views.base import FlowsView


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
        flow = services.create_flow(chatbot=chatbot, by=self.user, **body.validated_data)
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
        flow = services.create_flow(chatbot=self.chatbot(fields.pop("chatbot_id")), by=self.user, **fields)
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
        changed = services.update_flow(flow=flow, by=self.user, **body.validated_data)
        return Response(FlowDetailSerializer(changed).data)

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


class MainFlowView(FlowsView):
    @extend_schema(responses=FlowDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """The flow with which a chatbot begins; 404 if there is none."""
        flow = get_object_or_404(self.flows(), chatbot=self.chatbot(pk), is_main=True)
        return Response(FlowDetailSerializer(flow).data)


class FallbackFlowView(FlowsView):
    @extend_schema(responses=FlowDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """The flow that stands in for the main one; 404 if there is none."""
        flow = get_object_or_404(self.flows(), chatbot=self.chatbot(pk), is_fallback=True)
        return Response(FlowDetailSerializer(flow).data)


class FullFlowView(FlowsView):
    @extend_schema(responses=FullFlowSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One flow with its nodes, read from the canvas."""
        return Response(FullFlowSerializer(self.flow(pk)).data)


class FlowNodesView(FlowsView):
    @extend_schema(operation_id="flows_nodes_list", responses={200: NODES})
    def get(self, request: Request, pk: UUID) -> Response:
        """The nodes of a flow, read from its canvas."""
        return Response(graph.nodes_of(self.flow(pk).canvas_data))
