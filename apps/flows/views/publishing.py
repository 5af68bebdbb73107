"""Publishing a flow: what is wrong with it, its versions, and back to one of them."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.flows import publishing
from apps.flows.serializers.flows import FlowDetailSerializer
from apps.flows.serializers.versions import (
    DraftSerializer,
    FlowVersionDetailSerializer,
    FlowVersionSerializer,
    ValidationSerializer,
)
from apps.flows.views.base import FlowsView, PageSerializer


class ValidateFlowView(FlowsView):
    @extend_schema(request=DraftSerializer, responses=ValidationSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """What is wrong with the draft, or with the canvas that is sent; nothing is saved."""
        flow = self.flow(pk)
        body = DraftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        flow.canvas_data = body.validated_data.get("canvas_data", flow.canvas_data)
        found = publishing.validate(flow)
        is_valid = all(problem.severity != "error" for problem in found)
        return Response(ValidationSerializer({"valid": is_valid, "problems": found}).data)


class PublishFlowView(FlowsView):
    @extend_schema(request=None, responses=FlowDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Let customers meet the draft from now on; 400 names the nodes that cannot run."""
        return Response(FlowDetailSerializer(publishing.publish(flow=self.flow(pk), by=self.user)).data)


class FlowVersionsView(FlowsView):
    @extend_schema(operation_id="flows_versions_list", responses=FlowVersionSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """The versions of a flow, newest first."""
        page = PageSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        skip, limit = page.validated_data["skip"], page.validated_data["limit"]
        rows = self.flow(pk).versions.select_related("flow", "published_by").defer("canvas_data").order_by("-number")
        return Response(FlowVersionSerializer(rows[skip : skip + limit], many=True).data)


class FlowVersionView(FlowsView):
    @extend_schema(responses=FlowVersionDetailSerializer)
    def get(self, request: Request, pk: UUID, number: int) -> Response:
        """One version, with what was drawn."""
        version = get_object_or_404(self.flow(pk).versions.select_related("flow", "published_by"), number=number)
        return Response(FlowVersionDetailSerializer(version).data)


class RestoreFlowVersionView(FlowsView):
    @extend_schema(request=None, responses=FlowDetailSerializer)
    def post(self, request: Request, pk: UUID, number: int) -> Response:
        """Make an earlier version the draft, and publish it as the newest version."""
        flow = publishing.restore(flow=self.flow(pk), number=number, by=self.user)
        return Response(FlowDetailSerializer(flow).data)
