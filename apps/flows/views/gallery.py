"""The gallery: ready flows to begin with."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.flows import gallery
from apps.flows.serializers.flows import FlowDetailSerializer
from apps.flows.serializers.gallery import (
    FlowTemplateDetailSerializer,
    FlowTemplateListSerializer,
    FromTemplateSerializer,
    LanguageSerializer,
)
from apps.flows.views.base import FlowsView


class FlowTemplatesView(FlowsView):
    @extend_schema(
        operation_id="flow_templates_list", parameters=[LanguageSerializer], responses=FlowTemplateListSerializer
    )
    def get(self, request: Request) -> Response:
        """The ready flows, of one language or of all."""
        asked = LanguageSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = gallery.find(asked.validated_data["language"])
        return Response(FlowTemplateListSerializer({"total": len(found), "items": found}).data)


class FlowTemplateView(FlowsView):
    @extend_schema(responses=FlowTemplateDetailSerializer)
    def get(self, request: Request, template: str) -> Response:
        """One ready flow, with what is drawn."""
        return Response(FlowTemplateDetailSerializer(gallery.get(template)).data)


class FlowFromTemplateView(FlowsView):
    @extend_schema(request=FromTemplateSerializer, responses={201: FlowDetailSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Add a flow to the chatbot that begins as a ready one."""
        chatbot = self.chatbot(pk)
        body = FromTemplateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        flow = gallery.create_flow(chatbot=chatbot, by=self.user, **body.validated_data)
        return Response(FlowDetailSerializer(flow).data, status.HTTP_201_CREATED)
