"""Flows as the API shows and takes them."""

import dataclasses
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.flows import graph, publishing
from apps.flows.models import Flow
from apps.flows.patience import Inactivity, WindowExpiry
from apps.flows.serializers.fields import CanvasField, ObjectField, ShapedListField, ShapedObjectField
from apps.flows.triggers import Triggers

NODES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "node_type": {"type": "string", "description": "By its usual name, whatever the canvas calls it."},
            "label": {"type": "string"},
            "position": {"type": "object", "nullable": True},
            "data": {"type": "object"},
        },
    },
}
"""The nodes of a canvas, as the schema describes them."""


class ProblemSerializer(serializers.Serializer):
    """What is wrong with a flow, and where; an error keeps it from being published, a warning does not."""

    node = serializers.CharField(help_text="The node's id; empty for the canvas itself.")
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    severity = serializers.ChoiceField(["error", "warning"])


class FlowSerializer(serializers.ModelSerializer[Flow]):
    canvas_data = CanvasField(required=False)
    variables = ObjectField(required=False)
    settings = ObjectField(required=False)
    triggers = ShapedListField(Triggers, required=False)
    inactivity_settings = ShapedObjectField(Inactivity, required=False, allow_null=True)
    window_expiry_settings = ShapedObjectField(WindowExpiry, required=False, allow_null=True)
    published_version = serializers.IntegerField(
        source="version.number", read_only=True, default=None, allow_null=True, help_text="What customers meet."
    )

    class Meta:
        model = Flow
        fields = (
            "id",
            "organization_id",
            "chatbot_id",
            "name",
            "description",
            "is_main",
            "is_fallback",
            "is_active",
            "canvas_data",
            "variables",
            "settings",
            "triggers",
            "inactivity_settings",
            "window_expiry_settings",
            "published_version",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "organization_id", "chatbot_id", "created_at", "updated_at")


class FlowDetailSerializer(FlowSerializer):
    """A flow by itself: with what is wrong with its draft."""

    problems = serializers.SerializerMethodField()
    is_published = serializers.SerializerMethodField(help_text="Whether customers meet what is drawn here.")

    class Meta(FlowSerializer.Meta):
        fields = (*FlowSerializer.Meta.fields, "is_published", "problems")  # type: ignore[assignment]

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, flow: Flow) -> list[dict[str, str]]:
        """Every error, then every warning; none, if it is fine."""
        return [dataclasses.asdict(problem) for problem in publishing.validate(flow)]

    def get_is_published(self, flow: Flow) -> bool:
        """Whether the draft is the published version."""
        return publishing.is_published(flow)


class FlowCreateSerializer(FlowSerializer):
    """A new flow, and whose it is to be."""

    chatbot_id = serializers.UUIDField()

    class Meta(FlowSerializer.Meta):
        read_only_fields = ("id", "organization_id", "created_at", "updated_at")  # type: ignore[assignment]


class FlowListSerializer(serializers.Serializer):
    """All flows of a chatbot, on one page, under both of the names by which clients know them."""

    flows = FlowSerializer(many=True, source="items")
    items = FlowSerializer(many=True)
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    per_page = serializers.IntegerField()


class FullFlowSerializer(FlowDetailSerializer):
    """A flow with its nodes by themselves."""

    nodes = serializers.SerializerMethodField()

    class Meta(FlowDetailSerializer.Meta):
        fields = (*FlowDetailSerializer.Meta.fields, "nodes")  # type: ignore[assignment]

    @extend_schema_field(NODES)
    def get_nodes(self, flow: Flow) -> list[dict[str, Any]]:
        """The nodes in the order of the canvas."""
        return graph.nodes_of(flow.canvas_data)
