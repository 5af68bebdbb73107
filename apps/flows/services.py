"""What changes chatbots and flows."""

import dataclasses
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.conversations.models import ChannelAccount
from apps.core.errors import DomainError, NotFound
from apps.flows import graph
from apps.flows.graph import InvalidCanvas, Problem
from apps.flows.models import Chatbot, ChatbotAccount, Flow
from apps.organizations.models import Organization


class NoMainFlow(DomainError):
    """A chatbot without a main flow has nothing to begin with."""

    code = "no_main_flow"


class FlowCannotRun(DomainError):
    """A canvas that the engine cannot run; `details` names every node and field."""

    code = "flow_cannot_run"


@transaction.atomic
def create_chatbot(*, organization: Organization, is_active: bool = False, **fields: Any) -> Chatbot:
    """Create a chatbot with its empty main flow."""
    chatbot = Chatbot.objects.create(organization=organization, **fields)
    Flow.objects.create(organization=organization, chatbot=chatbot, name="Main Flow", is_main=True)
    return activate_chatbot(chatbot=chatbot) if is_active else chatbot


@transaction.atomic
def update_chatbot(*, chatbot: Chatbot, is_active: bool | None = None, **fields: Any) -> Chatbot:
    """Change what is given; `is_active` activates or deactivates."""
    chatbot = _lock(chatbot)
    for name, value in fields.items():
        setattr(chatbot, name, value)
    chatbot.save()
    if is_active is None or is_active == chatbot.is_active:
        return chatbot
    return activate_chatbot(chatbot=chatbot) if is_active else deactivate_chatbot(chatbot=chatbot)


@transaction.atomic
def delete_chatbot(*, chatbot: Chatbot) -> None:
    """Delete a chatbot and its flows, softly; it answers on no account any more."""
    chatbot = _lock(chatbot)
    now = timezone.now()
    chatbot.is_active, chatbot.deleted_at = False, now
    chatbot.save()
    Flow.objects.present().filter(chatbot=chatbot).update(deleted_at=now, updated_at=now)
    ChatbotAccount.objects.filter(chatbot=chatbot).delete()


@transaction.atomic
def activate_chatbot(*, chatbot: Chatbot) -> Chatbot:
    """Let a chatbot speak; NoMainFlow or FlowCannotRun if it could not."""
    chatbot = _lock(chatbot)
    main = Flow.objects.present().filter(chatbot=chatbot, is_main=True).first()
    if main is None:
        raise NoMainFlow("This chatbot has no main flow.")
    _require_runnable(main)
    chatbot.is_active = True
    chatbot.save()
    return chatbot


@transaction.atomic
def deactivate_chatbot(*, chatbot: Chatbot) -> Chatbot:
    """Silence a chatbot; a turn of it that is under way writes nothing any more."""
    chatbot = _lock(chatbot)
    chatbot.is_active = False
    chatbot.save()
    return chatbot


@transaction.atomic
def choose_default_chatbot(*, account: ChannelAccount, chatbot: Chatbot | None) -> None:
    """Let a chatbot answer on an account, instead of the one before; None: no chatbot does."""
    if chatbot is None:
        ChatbotAccount.objects.filter(account=account).delete()
        return
    chatbot = _lock(chatbot)
    if chatbot.organization_id != account.organization_id:
        raise NotFound("There is no such chatbot.")
    ChatbotAccount.objects.update_or_create(account_id=account.pk, defaults={"chatbot": chatbot})


@transaction.atomic
def create_flow(*, chatbot: Chatbot, **fields: Any) -> Flow:
    """Add a flow to a chatbot; as its main or fallback flow, it takes the place of the one before."""
    chatbot = _lock(chatbot)
    flow = Flow(organization_id=chatbot.organization_id, chatbot=chatbot, **fields)
    _make_way(flow)
    flow.save()
    return flow


@transaction.atomic
def update_flow(*, flow: Flow, **fields: Any) -> Flow:
    """Change what is given. A canvas that cannot run is kept all the same: `problems` tells what is wrong with it."""
    _lock(flow.chatbot)
    flow = _current(flow)
    for name, value in fields.items():
        setattr(flow, name, value)
    _make_way(flow)
    flow.save()
    return flow


def make_main(*, flow: Flow) -> Flow:
    """Make a flow the one that a customer's first message starts."""
    return update_flow(flow=flow, is_main=True)


@transaction.atomic
def activate_flow(*, flow: Flow) -> Flow:
    """Let a flow run; FlowCannotRun if it cannot."""
    _lock(flow.chatbot)
    flow = _current(flow)
    _require_runnable(flow)
    flow.is_active = True
    flow.save()
    return flow


def deactivate_flow(*, flow: Flow) -> Flow:
    """Stop a flow; who is in the middle of it hears nothing more from it."""
    return update_flow(flow=flow, is_active=False)


@transaction.atomic
def delete_flow(*, flow: Flow) -> None:
    """Delete a flow, softly."""
    _lock(flow.chatbot)
    flow = _current(flow)
    flow.deleted_at = timezone.now()
    flow.save()


def problems(flow: Flow) -> tuple[Problem, ...]:
    """Everything that keeps a flow from running."""
    try:
        graph.compile(flow.canvas_data)
    except InvalidCanvas as error:
        return error.problems
    return ()


def _require_runnable(flow: Flow) -> None:
    found = problems(flow)
    if found:
        words = " ".join(problem.message for problem in found[:3])
        details = [dataclasses.asdict(problem) for problem in found]
        raise FlowCannotRun(f"The flow {flow.name!r} cannot run. {words}", details=details)


def _lock(chatbot: Chatbot) -> Chatbot:
    """The chatbot as it is now, for one writer at a time: of it, of its flows, of the accounts it answers on."""
    try:
        return Chatbot.objects.select_for_update().get(pk=chatbot.pk, deleted_at=None)
    except Chatbot.DoesNotExist:
        raise NotFound("There is no such chatbot.") from None


def _current(flow: Flow) -> Flow:
    try:
        return Flow.objects.select_for_update(of=("self",)).select_related("chatbot").get(pk=flow.pk, deleted_at=None)
    except Flow.DoesNotExist:
        raise NotFound("There is no such flow.") from None


def _make_way(flow: Flow) -> None:
    """Unset the main and the fallback flow whose place this one takes."""
    others = Flow.objects.present().filter(chatbot=flow.chatbot).exclude(pk=flow.pk)
    if flow.is_main:
        others.filter(is_main=True).update(is_main=False, updated_at=timezone.now())
    if flow.is_fallback:
        others.filter(is_fallback=True).update(is_fallback=False, updated_at=timezone.now())
