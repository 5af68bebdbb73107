"""The gallery of ready flows, as the API shows it."""

from rest_framework import serializers


class FlowTemplateSerializer(serializers.Serializer):
    """A flow to begin with."""

    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    language = serializers.CharField()
    node_count = serializers.IntegerField()
    variables = serializers.DictField(help_text="Of the flow, with what they are before somebody changes them.")
    needs = serializers.ListField(
        child=serializers.CharField(), help_text="What is to be filled in before customers meet it."
    )


class FlowTemplateListSerializer(serializers.Serializer):
    total = serializers.IntegerField()
    items = FlowTemplateSerializer(many=True)


class FlowTemplateDetailSerializer(FlowTemplateSerializer):
    """A template by itself: with what is drawn."""

    canvas_data = serializers.DictField()


class FromTemplateSerializer(serializers.Serializer):
    """Which template to begin with."""

    template_id = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=255, default="", allow_blank=True, help_text="Else the template's.")


class LanguageSerializer(serializers.Serializer):
    language = serializers.CharField(max_length=20, default="", allow_blank=True, help_text="pt, en or es")
