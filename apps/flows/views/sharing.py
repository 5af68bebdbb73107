"""Exporting, importing and copying flows and chatbots."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.flows import services, sharing
from apps.flows.serializers.chatbots import ChatbotSerializer
from apps.flows.serializers.fields import ObjectField
from apps.flows.serializers.flows import FlowDetailSerializer, FlowSerializer
from apps.flows.views.base import FlowsView


class ExportFlowView(FlowsView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: UUID) -> Response:
        """A flow's draft as a file that can be imported here and elsewhere."""
        flow = self.flow(pk)
        return Response(
            sharing.export(flow), headers={"Content-Disposition": f'attachment; filename="flow-{flow.pk}.json"'}
        )


class ImportFlowView(FlowsView):
    @extend_schema(
        request=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("override_name", OpenApiTypes.STR)],
        responses={201: FlowDetailSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Add an exported flow to a chatbot, never as its main one."""
        chatbot = self.chatbot(pk)
        fields = sharing.read(ObjectField().run_validation(request.data))
        name = request.query_params.get("override_name") or f"{str(fields['name'] or 'Flow')[:240]} (Imported)"
        body = FlowSerializer(data={**fields, "name": name})
        body.is_valid(raise_exception=True)
        flow = services.create_flow(chatbot=chatbot, by=self.user, **body.validated_data)
        return Response(FlowDetailSerializer(flow).data, status.HTTP_201_CREATED)


class DuplicateFlowView(FlowsView):
    @extend_schema(request=None, responses={201: FlowDetailSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Copy a flow, beside itself."""
        flow = sharing.duplicate_flow(flow=self.flow(pk), by=self.user)
        return Response(FlowDetailSerializer(flow).data, status.HTTP_201_CREATED)


class DuplicateChatbotView(FlowsView):
    @extend_schema(request=None, responses={201: ChatbotSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Copy a chatbot with all its flows; the copy is not active."""
        chatbot = sharing.duplicate_chatbot(chatbot=self.chatbot(pk), by=self.user)
        return Response(ChatbotSerializer(self.chatbot(chatbot.pk)).data, status.HTTP_201_CREATED)
