"""The numbers of a flow, and the sessions behind them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.flows import numbers
from apps.flows.models import FlowSession, FlowSessionQuerySet
from apps.flows.serializers.numbers import (
    FlowSessionDetailSerializer,
    FlowSessionSerializer,
    FlowStatsSerializer,
    SpanSerializer,
)
from apps.flows.views.base import FlowsView, PageSerializer


class FlowStatsView(FlowsView):
    @extend_schema(parameters=[SpanSerializer], responses=FlowStatsSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """What happened in a flow in a span of time: its sessions, nodes and edges, and its chatbot's A/B test."""
        flow = self.flow(pk)
        span = SpanSerializer(data=request.query_params)
        span.is_valid(raise_exception=True)
        return Response(FlowStatsSerializer(numbers.stats(flow, **span.validated_data)).data)


class FlowDiagramView(FlowsView):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whoever asks for an image gets one; what is wrong is told in JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(parameters=[SpanSerializer], responses={(200, "image/svg+xml"): OpenApiTypes.STR})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """The flow drawn: boxes coloured by drop-off, arrows as thick as their traffic."""
        flow = self.flow(pk)
        span = SpanSerializer(data=request.query_params)
        span.is_valid(raise_exception=True)
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HttpResponse(numbers.drawn(flow, **span.validated_data), content_type="image/svg+xml", headers=headers)


class SessionsView(FlowsView):
    """The sessions of one of the tenant's flows."""

    def sessions(self, pk: UUID) -> FlowSessionQuerySet:
        """The sessions that began in a flow."""
        rows = FlowSession.objects.for_organization(self.organization).filter(flow=self.flow(pk))
        found: FlowSessionQuerySet = rows.select_related("conversation__contact", "version").defer(
            "version__canvas_data", "version__variables"
        )
        return found


class FlowSessionsView(SessionsView):
    @extend_schema(
        operation_id="flows_sessions_list",
        parameters=[PageSerializer],
        responses=FlowSessionSerializer(many=True),
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The sessions of a flow, newest first."""
        page = PageSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        skip, limit = page.validated_data["skip"], page.validated_data["limit"]
        rows = self.sessions(pk).order_by("-created_at", "-pk")
        return Response(FlowSessionSerializer(rows[skip : skip + limit], many=True).data)


class FlowSessionView(SessionsView):
    @extend_schema(operation_id="flows_sessions_retrieve", responses=FlowSessionDetailSerializer)
    def get(self, request: Request, pk: UUID, session: UUID) -> Response:
        """One session: its path, and what it knows."""
        return Response(FlowSessionDetailSerializer(get_object_or_404(self.sessions(pk), pk=session)).data)
