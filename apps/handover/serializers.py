"""What is said when a conversation changes hands."""

from rest_framework import serializers


class HandoverSerializer(serializers.Serializer):
    """Why it changes hands."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
