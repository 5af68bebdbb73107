"""Versions of flows, and what is wrong with drafts, as the API shows them."""

from rest_framework import serializers

from apps.flows.models import FlowVersion
from apps.flows.serializers.fields import CanvasField
from apps.flows.serializers.flows import ProblemSerializer


class FlowVersionSerializer(serializers.ModelSerializer[FlowVersion]):
    """A flow as it was published."""

    is_current = serializers.SerializerMethodField(help_text="Whether it is what customers meet.")
    published_by = serializers.CharField(source="published_by.email", read_only=True, default=None, allow_null=True)
    published_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = FlowVersion
        fields = ("id", "number", "is_current", "published_by", "published_at")

    def get_is_current(self, version: FlowVersion) -> bool:
        """Whether new conversations begin on it."""
        return version.flow.version_id == version.pk


class FlowVersionDetailSerializer(FlowVersionSerializer):
    """A version by itself: with what was drawn."""

    class Meta(FlowVersionSerializer.Meta):
        fields = (*FlowVersionSerializer.Meta.fields, "canvas_data", "variables")  # type: ignore[assignment]


class ValidationSerializer(serializers.Serializer):
    """What is wrong with a flow."""

    valid = serializers.BooleanField(help_text="Whether it can be published; warnings do not matter.")
    problems = ProblemSerializer(many=True, help_text="The errors, then the warnings.")


class DraftSerializer(serializers.Serializer):
    """A canvas to look at instead of the saved one."""

    canvas_data = CanvasField(required=False)
