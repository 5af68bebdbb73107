"""Trying a flow without side effects."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.flows import memory, simulation
from apps.flows.serializers.trying import SimulatedSerializer, SimulateSerializer
from apps.flows.views.base import FlowsView


class SimulateFlowView(FlowsView):
    @extend_schema(request=SimulateSerializer, responses=SimulatedSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """What the draft would answer. Nothing is written, sent or requested; scripts run."""
        flow = self.flow(pk)
        body = SimulateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        stage = simulation.stage(
            flow, canvas=asked.get("canvas_data"), channel=asked["channel"], samples=asked["samples"]
        )
        now = asked.get("now") or timezone.now()
        if asked.get("state"):
            before = memory.read(asked["state"], stage.flows)
        else:
            before = memory.Memory(person=asked.get("contact") or memory.Person())
        if asked["wake"]:
            simulated = simulation.wake(stage, before, now=now)
        else:
            simulated = simulation.turn(stage, before, asked.get("message") or simulation.Said(), now=now)
        return Response(SimulatedSerializer(simulated).data)
