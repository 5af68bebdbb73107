"""One writer at a time: of a chatbot, of its flows, of the accounts it answers on."""

from apps.core.errors import NotFound
from apps.flows.models import Chatbot, Flow


def chatbot(chatbot: Chatbot) -> Chatbot:
    """The chatbot as it is now, locked until the transaction ends; NotFound if it is deleted."""
    try:
        return Chatbot.objects.select_for_update().get(pk=chatbot.pk, deleted_at=None)
    except Chatbot.DoesNotExist:
        raise NotFound("There is no such chatbot.") from None


def flow(flow: Flow) -> Flow:
    """The flow as it is now, under its chatbot's lock; NotFound if either is deleted."""
    chatbot(flow.chatbot)
    try:
        return Flow.objects.select_related("chatbot", "version").get(pk=flow.pk, deleted_at=None)
    except Flow.DoesNotExist:
        raise NotFound("There is no such flow.") from None
