"""What changes chatbots and flows."""

import dataclasses
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.conversations.models import ChannelAccount, Conversation, Message
from apps.core.errors import Conflict, DomainError, NotFound
from apps.flows import graph, leaks, locking, publishing
from apps.flows.models import Chatbot, ChatbotAccount, Flow
from apps.flows.triggers import Variants
from apps.organizations.models import Organization, User


class NoMainFlow(DomainError):
    """A chatbot without a main flow has nothing to begin with."""

    code = "no_main_flow"


class SecretInCanvas(DomainError):
    """A canvas that holds a secret: everybody who reads the flow would have it, and every export."""

    code = "secret_in_canvas"


class NotPublished(DomainError):
    """A flow of which there is no version that customers could meet."""

    code = "not_published"


class OneFallback(Conflict):
    """An organization has one chatbot for the accounts that have none of their own."""

    code = "fallback_taken"


class ChatbotSettingsClash(DomainError):
    """Two settings of a chatbot that cannot be true at once."""

    code = "chatbot_settings_clash"


@transaction.atomic
def create_chatbot(*, organization: Organization, is_active: bool = False, **fields: Any) -> Chatbot:
    """Create a chatbot with its empty main flow."""
    chatbot = Chatbot(organization=organization, **fields)
    _check(chatbot)
    chatbot.save()
    Flow.objects.create(organization=organization, chatbot=chatbot, name="Main Flow", is_main=True)
    return activate_chatbot(chatbot=chatbot) if is_active else chatbot


@transaction.atomic
def update_chatbot(*, chatbot: Chatbot, is_active: bool | None = None, **fields: Any) -> Chatbot:
    """Change what is given; `is_active` activates or deactivates."""
    chatbot = locking.chatbot(chatbot)
    for name, value in fields.items():
        setattr(chatbot, name, value)
    _check(chatbot)
    chatbot.save()
    if is_active is None or is_active == chatbot.is_active:
        return chatbot
    return activate_chatbot(chatbot=chatbot) if is_active else deactivate_chatbot(chatbot=chatbot)


@transaction.atomic
def delete_chatbot(*, chatbot: Chatbot) -> None:
    """Delete a chatbot and its flows, softly; it answers on no account any more."""
    chatbot = locking.chatbot(chatbot)
    now = timezone.now()
    chatbot.is_active, chatbot.deleted_at = False, now
    chatbot.save()
    Flow.objects.present().filter(chatbot=chatbot).update(deleted_at=now, updated_at=now)
    ChatbotAccount.objects.filter(chatbot=chatbot).delete()


@transaction.atomic
def activate_chatbot(*, chatbot: Chatbot) -> Chatbot:
    """Let a chatbot speak; NoMainFlow or FlowCannotRun if it could not."""
    chatbot = locking.chatbot(chatbot)
    main = Flow.objects.present().filter(chatbot=chatbot, is_main=True).first()
    if main is None:
        raise NoMainFlow("This chatbot has no main flow.")
    _require_published(main)
    chatbot.is_active = True
    chatbot.save()
    return chatbot


@transaction.atomic
def deactivate_chatbot(*, chatbot: Chatbot) -> Chatbot:
    """Silence a chatbot; a turn of it that is under way writes nothing any more."""
    chatbot = locking.chatbot(chatbot)
    chatbot.is_active = False
    chatbot.save()
    return chatbot


@transaction.atomic
def choose_default_chatbot(*, account: ChannelAccount, chatbot: Chatbot | None) -> None:
    """Let a chatbot answer on an account, instead of the one before; None: no chatbot does."""
    if chatbot is None:
        ChatbotAccount.objects.filter(account=account).delete()
        return
    chatbot = locking.chatbot(chatbot)
    if chatbot.organization_id != account.organization_id:
        raise NotFound("There is no such chatbot.")
    if chatbot.is_fallback:
        raise ChatbotSettingsClash("The fallback chatbot answers where no chatbot is chosen: choose another one.")
    ChatbotAccount.objects.update_or_create(account_id=account.pk, defaults={"chatbot": chatbot})


@transaction.atomic
def create_flow(*, chatbot: Chatbot, by: User | None = None, **fields: Any) -> Flow:
    """Add a flow to a chatbot; as its main or fallback flow, it takes the place of the one before."""
    chatbot = locking.chatbot(chatbot)
    flow = Flow(organization_id=chatbot.organization_id, chatbot=chatbot, **fields)
    return _save(flow, by=by, drawn="canvas_data" in fields)


@transaction.atomic
def update_flow(*, flow: Flow, by: User | None = None, **fields: Any) -> Flow:
    """Change what is given. A canvas that cannot run is kept as a draft: `problems` tells what is wrong with it."""
    flow = locking.flow(flow)
    for name, value in fields.items():
        setattr(flow, name, value)
    return _save(flow, by=by, drawn=bool({"canvas_data", "variables"} & fields.keys()))


def make_main(*, flow: Flow) -> Flow:
    """Make a flow the one that a customer's first message starts."""
    return update_flow(flow=flow, is_main=True)


@transaction.atomic
def activate_flow(*, flow: Flow) -> Flow:
    """Let a flow run; FlowCannotRun if it cannot."""
    flow = locking.flow(flow)
    _require_published(flow)
    flow.is_active = True
    flow.save()
    return flow


def deactivate_flow(*, flow: Flow) -> Flow:
    """Stop a flow; who is in the middle of it hears nothing more from it."""
    return update_flow(flow=flow, is_active=False)


@transaction.atomic
def delete_flow(*, flow: Flow) -> None:
    """Delete a flow, softly."""
    flow = locking.flow(flow)
    flow.deleted_at = timezone.now()
    flow.save()


def stats(chatbot: Chatbot) -> dict[str, Any]:
    """What a chatbot has done so far, in five queries."""
    flows = Flow.objects.present().filter(chatbot=chatbot)
    mine = Conversation.objects.filter(organization=chatbot.organization_id, chatbot_id=chatbot.pk)
    heard = Message.objects.filter(conversation__in=mine, direction=Message.Direction.INBOUND)
    canvases = list(flows.values_list("canvas_data", flat=True))
    return {
        "total_conversations": mine.count(),
        "total_messages_sent": Message.objects.filter(conversation__in=mine, bot_id=chatbot.pk).count(),
        "total_messages_received": heard.count(),
        "total_flows": len(canvases),
        "total_nodes": sum(len(graph.nodes_of(canvas)) for canvas in canvases),
        "is_active": chatbot.is_active,
        "is_published": flows.filter(is_main=True, version__isnull=False).exists(),
    }


def _save(flow: Flow, *, by: User | None, drawn: bool) -> Flow:
    """Save a flow; a draft that can run is published, if its chatbot publishes by itself.

    SecretInCanvas, and nothing is saved, if the canvas holds a secret.
    """
    found = leaks.find(flow.canvas_data) if drawn else []
    if found:
        raise SecretInCanvas(found[0].message, details=[dataclasses.asdict(problem) for problem in found])
    _make_way(flow)
    flow.save()
    if drawn and flow.chatbot.publish_on_save and not publishing.errors(flow):
        publishing.cut(flow, by=by)
    return flow


def _check(chatbot: Chatbot) -> None:
    """Whether its settings can all be true."""
    if chatbot.is_fallback:
        if ChatbotAccount.objects.filter(chatbot=chatbot).exists():
            raise ChatbotSettingsClash("A chatbot that answers on accounts of its own cannot be the fallback.")
        others = Chatbot.objects.present().filter(organization=chatbot.organization, is_fallback=True)
        if others.exclude(pk=chatbot.pk).exists():
            raise OneFallback("Another chatbot is the fallback of this organization already.")
    if chatbot.ab_test_enabled:
        sides = {one.flow_id for one in Variants.validate_python(chatbot.ab_test_flows) if one.weight}
        if Flow.objects.present().filter(chatbot=chatbot, pk__in=sides).count() < 2:
            raise ChatbotSettingsClash("An A/B test needs two flows of this chatbot with a weight above zero.")


def _require_published(flow: Flow) -> None:
    """What runs is what is drawn, if its chatbot publishes by itself; else the version that somebody published."""
    if flow.chatbot.publish_on_save and not publishing.is_published(flow):
        publishing.require_runnable(flow)
        publishing.cut(flow, by=None)
    elif flow.version_id is None:
        raise NotPublished(f"The flow {flow.name!r} was never published: POST /flows/{flow.pk}/publish.")


def _make_way(flow: Flow) -> None:
    """Unset the main and the fallback flow whose place this one takes."""
    others = Flow.objects.present().filter(chatbot=flow.chatbot).exclude(pk=flow.pk)
    if flow.is_main:
        others.filter(is_main=True).update(is_main=False, updated_at=timezone.now())
    if flow.is_fallback:
        others.filter(is_fallback=True).update(is_fallback=False, updated_at=timezone.now())
