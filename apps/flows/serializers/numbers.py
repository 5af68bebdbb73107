"""The numbers of a flow and its sessions as the API shows them."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.flows import numbers
from apps.flows.models import FlowSession

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing happened before."""


class SpanSerializer(serializers.Serializer):
    since = serializers.DateTimeField(required=False, help_text="30 days before `until`, if not given.")
    until = serializers.DateTimeField(required=False, help_text="Now, if not given.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A span of time, filled in."""
        until = attrs.get("until") or timezone.now()
        since = attrs.get("since") or max(until - numbers.USUAL, FIRST) if until > FIRST else until
        if not FIRST <= since < until:
            raise serializers.ValidationError("`since` must be before `until`, and in this millennium.")
        return {"since": since, "until": until}


class SessionCountsSerializer(serializers.Serializer):
    begun = serializers.IntegerField()
    ended = serializers.IntegerField()
    broken = serializers.IntegerField()
    live = serializers.IntegerField()


class NodeNumbersSerializer(serializers.Serializer):
    node = serializers.CharField()
    type = serializers.CharField(help_text="Empty: the node is no longer drawn.")
    label = serializers.CharField()  # type: ignore[assignment]
    visits = serializers.IntegerField(help_text="How often it was left.")
    waiting_now = serializers.IntegerField()
    drop_off = serializers.IntegerField(help_text="Sessions that are over and never left it.")
    drop_off_share = serializers.FloatField(help_text="Of all that are not there any more.")
    median_seconds = serializers.FloatField(allow_null=True)
    errors = serializers.IntegerField()  # type: ignore[assignment]
    last_error = serializers.CharField()


class EdgeNumbersSerializer(serializers.Serializer):
    source = serializers.CharField()  # type: ignore[assignment]
    exit = serializers.CharField()
    target = serializers.CharField(allow_null=True)
    count = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of all that left the node.")


class VariantNumbersSerializer(serializers.Serializer):
    variant = serializers.CharField()
    sessions = serializers.IntegerField()
    ended = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True)


class FlowStatsSerializer(serializers.Serializer):
    """What happened in a flow; the sides of an A/B test are those of its chatbot."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    sessions = SessionCountsSerializer()
    nodes = NodeNumbersSerializer(many=True)
    edges = EdgeNumbersSerializer(many=True)
    variants = VariantNumbersSerializer(many=True)


class FlowSessionSerializer(serializers.ModelSerializer):
    """One passage of a customer through a flow."""

    contact_name = serializers.CharField(source="conversation.contact.name")
    version = serializers.IntegerField(source="version.number")
    node = serializers.SerializerMethodField(help_text="Where it waits, or was when it was given up.")

    class Meta:
        model = FlowSession
        fields: tuple[str, ...] = (
            "id",
            "conversation_id",
            "contact_name",
            "version",
            "variant",
            "started_by",
            "node",
            "problem",
            "created_at",
            "ended_at",
        )

    def get_node(self, session: FlowSession) -> str | None:
        """Its id; null after the end."""
        node: str | None = session.state.get("node")
        return node


class StopSerializer(serializers.Serializer):
    node = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    exit = serializers.CharField()
    entered_at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    error = serializers.CharField()


class FlowSessionDetailSerializer(FlowSessionSerializer):
    """A session with its whole path, and what it knows."""

    path = serializers.SerializerMethodField()
    variables = serializers.SerializerMethodField()

    class Meta(FlowSessionSerializer.Meta):
        fields = (*FlowSessionSerializer.Meta.fields, "path", "variables")

    @extend_schema_field(StopSerializer(many=True))
    def get_path(self, session: FlowSession) -> Any:
        """The nodes that it left, in their order."""
        return StopSerializer(numbers.path(session), many=True).data

    def get_variables(self, session: FlowSession) -> dict[str, Any]:
        """By their names."""
        return numbers.variables(session)
