"""Trying a flow, as the API takes and tells it."""

import dataclasses
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from pydantic import TypeAdapter
from rest_framework import serializers

from apps.conversations.channels import channels
from apps.flows.memory import Person
from apps.flows.serializers.fields import CanvasField, ObjectField, read_shape
from apps.flows.simulation import Said, Simulated
from apps.flows.stand_ins import Sample

_SAID = TypeAdapter(Said)
_SAMPLES = TypeAdapter(dict[str, Sample])
_PERSON = TypeAdapter(Person)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "choice": {"type": "string", "description": "The id of a button or a row; `text` is its title."},
                    "media": {"type": "object", "description": "type, url, filename, mime_type"},
                },
            },
        ]
    }
)
class SaidField(serializers.JSONField):
    """What the customer says."""

    def to_internal_value(self, data: Any) -> Any:
        """Read, whether it is words or an object."""
        return read_shape(_SAID, data)


class SamplesField(ObjectField):
    """What nodes get in place of answers of the world, by their ids."""

    def to_internal_value(self, data: Any) -> Any:
        """Read, with their values as they came."""
        return read_shape(_SAMPLES, super().to_internal_value(data))


class PersonField(ObjectField):
    """The customer of a simulation."""

    def to_internal_value(self, data: Any) -> Any:
        """Read; what is left out is somebody's."""
        return read_shape(_PERSON, super().to_internal_value(data))


class SimulateSerializer(serializers.Serializer):
    """A turn to try: what the customer says, or the time that passes."""

    message = SaidField(required=False, allow_null=True, help_text="Without one and without a state the flow begins.")
    state = ObjectField(required=False, allow_null=True, help_text="What the turn before gave; none: a new customer.")
    wake = serializers.BooleanField(default=False, help_text="Whether the time that it waits for has come.")
    now = serializers.DateTimeField(required=False, allow_null=True, help_text="What time it is; else the real one.")
    channel = serializers.CharField(
        default="", allow_blank=True, help_text="Where it is shown; else where the chatbot answers, else WhatsApp."
    )
    samples = SamplesField(default=dict, help_text="{node id: {value, status?, ok?, error?}}")
    contact = PersonField(required=False, allow_null=True, help_text="Who the customer is, where there is no state.")
    canvas_data = CanvasField(required=False, help_text="What to try instead of the saved draft.")

    def validate_channel(self, channel: str) -> str:
        """One that is there."""
        if channel and channel not in channels:
            raise serializers.ValidationError(f"One of {', '.join(sorted(channels.keys()))}.")
        return channel

    def validate_now(self, now: datetime | None) -> datetime | None:
        """One that can be reckoned with in every time zone."""
        if now and not 2000 <= now.year < 2200:
            raise serializers.ValidationError("A flow is tried between the years 2000 and 2200.")
        return now

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something happens."""
        if attrs.get("message") and attrs["wake"]:
            raise serializers.ValidationError({"wake": "Either the customer says something, or the time has come."})
        if attrs.get("state") and not attrs.get("message") and not attrs["wake"]:
            raise serializers.ValidationError({"message": "Say something, or let the time pass with `wake`."})
        return attrs


class TrialSerializer(serializers.Serializer):
    """Where a draft is tried on a real phone."""

    account_id = serializers.UUIDField(help_text="A number for tests, on which no chatbot of customers answers.")


class SimulatedMessageSerializer(serializers.Serializer):
    """A message that the channel would have got."""

    type = serializers.CharField()
    content = serializers.JSONField(source="body", help_text="Exactly what `content` of a message holds.")
    text = serializers.CharField(help_text="What the inbox would show.")


class SimulatedCallSerializer(serializers.Serializer):
    """What a node wanted of the world, and what it got."""

    node = serializers.CharField()
    type = serializers.CharField(help_text="request, script, query or email")
    request = serializers.JSONField(help_text="Secrets by their names.")
    result = serializers.SerializerMethodField()

    @extend_schema_field({"type": "object", "description": "ok, value, status, assigned, error"})
    def get_result(self, called: Any) -> dict[str, Any]:
        return dataclasses.asdict(called.result)


class SimulatedVisitSerializer(serializers.Serializer):
    """A node that was left: by which exit; empty: the flow ended there."""

    flow = serializers.UUIDField()
    node = serializers.CharField()
    exit = serializers.CharField()
    error = serializers.CharField()


class SimulatedSerializer(serializers.Serializer):
    """What would have come of the turn."""

    messages = SimulatedMessageSerializer(many=True)
    state = serializers.SerializerMethodField(help_text="To be sent with the next turn, as it is.")
    waits = serializers.SerializerMethodField()
    calls = SimulatedCallSerializer(many=True)
    effects = serializers.SerializerMethodField()
    variables = serializers.JSONField(help_text="What the session knows.")
    finished = serializers.SerializerMethodField(help_text="Whether no flow runs any more.")
    problem = serializers.SerializerMethodField(help_text="Why the flow broke off.")
    path = SimulatedVisitSerializer(many=True)

    @extend_schema_field({"type": "object"})
    def get_state(self, simulated: Simulated) -> dict[str, Any]:
        return simulated.memory.dump()

    @extend_schema_field(
        {
            "type": "object",
            "properties": {
                "for": {"type": "string", "enum": ["answer", "time"], "nullable": True},
                "until": {"type": "string", "format": "date-time", "nullable": True},
                "node": {"type": "string", "nullable": True},
            },
        }
    )
    def get_waits(self, simulated: Simulated) -> dict[str, Any]:
        waits = simulated.waits
        if waits is None:
            return {"for": None, "until": None, "node": None}
        return {"for": "time" if waits.is_asleep else "answer", "until": waits.until, "node": waits.node}

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_effects(self, simulated: Simulated) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        if simulated.add_tags or simulated.remove_tags:
            told.append({"type": "tags", "add": simulated.add_tags, "remove": simulated.remove_tags})
        if simulated.learnt:
            told.append({"type": "contact", "fields": simulated.learnt})
        if simulated.hand_over:
            told.append({"type": "hand_over", **dataclasses.asdict(simulated.hand_over)})
        if simulated.closes:
            told.append({"type": "close"})
        return told

    def get_finished(self, simulated: Simulated) -> bool:
        return simulated.waits is None

    @extend_schema_field({"type": "string", "nullable": True})
    def get_problem(self, simulated: Simulated) -> str | None:
        return simulated.problem or None
