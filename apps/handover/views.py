"""/api/v1/conversations/{id}/handover/: a conversation changes hands."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conversations import holding
from apps.conversations.authors import Author
from apps.conversations.serializers.conversations import ConversationSerializer
from apps.conversations.views import InboxView
from apps.handover.serializers import HandoverSerializer


class ToHumanView(InboxView):
    @extend_schema(request=HandoverSerializer, responses=ConversationSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """The caller has it from now; bots fall silent at once."""
        conversation = self.find(pk)
        body = HandoverSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        holding.take(conversation=conversation, by=Author.person(self.user), **body.validated_data)
        return self.answer(pk)


class ToBotView(InboxView):
    @extend_schema(request=HandoverSerializer, responses=ConversationSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """The bot has it again, and answers the customer's next message."""
        conversation = self.find(pk)
        body = HandoverSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        holding.give_back(conversation=conversation, by=Author.person(self.user), **body.validated_data)
        return self.answer(pk)
