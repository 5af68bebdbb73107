"""Silent customers and closing windows, over the real turn and a clock that is set."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.conversations.models import Conversation, Message, Wakeup
from apps.flows import services
from apps.flows.models import Chatbot, Flow, FlowSession
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, node
from tests.flows.factories import main_flow, make_chatbot
from tests.flows.test_responder import hear
from tests.flows.test_waiting import wake
from tests.support import inbox

WARNED = {
    "timeout_minutes": 60,
    "send_warning_at_minutes": 45,
    "warning_message": "{{contact.name}}, faltam {{remaining_minutes}} minutos",
    "closing_message": "Encerrado após {{inactive_minutes}} minutos",
}


@pytest.fixture
def conversation(organization: Organization) -> Conversation:
    contact = inbox.make_contact(organization, phone="5511999990001", name="Ana")
    return inbox.make_conversation(organization, contact=contact, last_inbound_at=timezone.now())


def settings(chatbot: Chatbot, **inactivity: Any) -> Flow:
    return services.update_flow(flow=main_flow(chatbot), inactivity_settings={**WARNED, **inactivity})


def test_a_silent_customer_is_warned_and_then_given_to_people(conversation: Conversation, chatbot: Chatbot) -> None:
    settings(chatbot, action="transfer")
    began = timezone.now()
    hear(conversation, "Oi")
    assert wake(conversation, began + timedelta(minutes=44)) == []
    assert wake(conversation, began + timedelta(minutes=46)) == ["Ana, faltam 14 minutos"]
    assert conversation.holder == "bot"
    assert wake(conversation, began + timedelta(minutes=61)) == ["Encerrado após 61 minutos"]
    conversation.refresh_from_db()
    assert (conversation.holder, FlowSession.objects.live().count()) == ("human", 0)
    assert conversation.handover_logs.get().reason == "The customer was silent for 60 minutes."
    assert not Wakeup.objects.exists()


def test_who_answers_in_time_is_left_alone(conversation: Conversation, chatbot: Chatbot) -> None:
    settings(chatbot, action="close")
    began = timezone.now()
    hear(conversation, "Oi")
    assert hear(conversation, "Ana") == ["Olá Ana!"]
    assert not Wakeup.objects.exists()
    assert wake(conversation, began + timedelta(minutes=61)) == []


def test_the_conversation_of_a_silent_customer_is_closed(conversation: Conversation, chatbot: Chatbot) -> None:
    settings(chatbot, action="close", send_warning_at_minutes=None)
    began = timezone.now()
    hear(conversation, "Oi")
    assert wake(conversation, began + timedelta(minutes=60)) == ["Encerrado após 60 minutos"]
    conversation.refresh_from_db()
    assert conversation.closed_at is not None


def test_a_reminder_leaves_the_flow_where_it_is(conversation: Conversation, chatbot: Chatbot) -> None:
    settings(chatbot, action="send_reminder", send_warning_at_minutes=None, closing_message="Continua aí?")
    began = timezone.now()
    hear(conversation, "Oi")
    assert wake(conversation, began + timedelta(minutes=60)) == ["Continua aí?"]
    assert not Wakeup.objects.exists()
    assert hear(conversation, "Ana") == ["Olá Ana!"]


def test_another_flow_takes_over_a_silent_customer(conversation: Conversation, chatbot: Chatbot) -> None:
    other = services.create_flow(
        chatbot=chatbot, name="Resgate", canvas_data=draw(node("start"), node("message", content="Posso ajudar?"))
    )
    settings(chatbot, action="fallback_flow", fallback_flow_id=str(other.pk), closing_message="")
    began = timezone.now()
    hear(conversation, "Oi")
    assert wake(conversation, began + timedelta(minutes=61)) == ["Posso ajudar?"]
    assert set(FlowSession.objects.values_list("flow__name", "started_by")) == {
        ("Main Flow", ""),
        ("Resgate", "inactivity"),
    }


def test_the_chatbot_s_own_settings_hold_where_the_flow_has_none(conversation: Conversation, chatbot: Chatbot) -> None:
    services.update_chatbot(
        chatbot=chatbot, settings={"inactivity_settings": {"timeout_minutes": 5, "action": "close"}}
    )
    began = timezone.now()
    hear(conversation, "Oi")
    assert wake(conversation, began + timedelta(minutes=6)) == []
    conversation.refresh_from_db()
    assert conversation.closed_at is not None


LATER = draw(node("start"), node("delay", duration=25, unit="hours"), node("message", content="Lembrete"))


@pytest.mark.parametrize(
    ("expiry", "sent", "holder"),
    [
        (None, [("text", "Lembrete")], "bot"),
        ({"action": "wait_customer"}, [], "bot"),
        ({"action": "transfer"}, [], "human"),
        ({"action": "send_template", "template_name": "volte"}, [("template", "volte")], "human"),
    ],
)
def test_what_comes_after_the_window_is_done_as_the_flow_says(
    organization: Organization,
    conversation: Conversation,
    expiry: dict[str, Any] | None,
    sent: list[tuple[str, str]],
    holder: str,
) -> None:
    chatbot = make_chatbot(organization, canvas=LATER, account=conversation.account)
    services.update_flow(flow=main_flow(chatbot), window_expiry_settings=expiry)
    began = timezone.now()
    hear(conversation, "Oi")
    wake(conversation, began + timedelta(hours=26))
    conversation.refresh_from_db()
    said = Message.objects.filter(conversation=conversation, direction="outbound")
    assert list(said.values_list("type", "text")) == sent
    assert (conversation.holder, FlowSession.objects.live().count()) == (holder, 0)


def test_a_template_warns_before_the_window_closes(conversation: Conversation, chatbot: Chatbot) -> None:
    expiry = {"send_warning": True, "warning_at_hours": 22, "warning_template_name": "ainda_ai"}
    services.update_flow(flow=main_flow(chatbot), window_expiry_settings=expiry)
    began = timezone.now()
    hear(conversation, "Oi")
    assert wake(conversation, began + timedelta(hours=21)) == []
    assert wake(conversation, began + timedelta(hours=22, minutes=1)) == ["ainda_ai"]
    assert wake(conversation, began + timedelta(hours=23)) == []
    assert hear(conversation, "Ana") == ["Olá Ana!"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("inactivity_settings", {"timeout_minutes": 0}, "timeout_minutes"),
        ("inactivity_settings", {"action": "fallback_flow"}, "fallback_flow_id"),
        ("inactivity_settings", {"warning_message": "{{nome"}, "warning_message"),
        ("inactivity_settings", [], "object"),
        ("window_expiry_settings", {"action": "send_template"}, "template_name"),
        ("window_expiry_settings", {"send_warning": True}, "warning_template_name"),
        ("triggers", [{"type": "regex", "pattern": "("}], "regular expression"),
        ("triggers", [{"type": "keyword", "keywords": []}], "keywords"),
        ("triggers", [{"type": "moon"}], "moon"),
        ("triggers", {}, "list"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_and_change_nothing(
    api: Any, admin: User, chatbot: Chatbot, field: str, value: Any, words: str
) -> None:
    client: APIClient = api(admin)
    answer = client.patch(f"/api/v1/flows/{main_flow(chatbot).pk}", {field: value, "name": "Outro"})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert main_flow(chatbot).name == "Main Flow"
    assert getattr(main_flow(chatbot), field) in (None, [])


def test_settings_are_removed_by_null(api: Any, admin: User, chatbot: Chatbot) -> None:
    flow = settings(chatbot, action="close")
    answer = api(admin).patch(f"/api/v1/flows/{flow.pk}", {"inactivity_settings": None})
    assert (answer.status_code, answer.json()["inactivity_settings"]) == (200, None)
