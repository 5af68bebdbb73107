"""Trying a flow: without side effects, and on a phone."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conversations.models import ChannelAccount
from apps.flows import memory, simulation, trials
from apps.flows.serializers.chatbots import ChatbotSerializer
from apps.flows.serializers.trying import SimulatedSerializer, SimulateSerializer, TrialSerializer
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


class TrialView(FlowsView):
    @extend_schema(request=TrialSerializer, responses={201: ChatbotSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Let a copy of the chatbot answer on a test number with the drafts as they are now, this one first."""
        flow = self.flow(pk)
        body = TrialSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        accounts = ChannelAccount.objects.filter(organization=self.organization)
        account = get_object_or_404(accounts, pk=body.validated_data["account_id"])
        chatbot = trials.begin(flow=flow, account=account, by=self.user)
        return Response(ChatbotSerializer(self.chatbot(chatbot.pk)).data, status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """End the trials of a flow: nothing answers on their numbers any more."""
        trials.end(flow=self.flow(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
