"""Flows in the turn: what customers hear of them, over the real turn and the real rows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.conversations import holding, turns
from apps.conversations.authors import Author
from apps.conversations.models import Conversation, Message
from apps.conversations.responders import Effects, Turn, responders
from apps.flows import services
from apps.flows.models import Chatbot, Flow, FlowSession, FlowVersion
from apps.flows.responder import Flows
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, edge, node
from tests.flows.factories import main_flow, make_chatbot
from tests.support import inbox

GREETING = ["Qual seu nome?", "Olá Ana!"]
ECHO = draw(node("start"), node("message", content="Oi"), node("end"))


@pytest.fixture
def conversation(organization: Organization) -> Conversation:
    contact = inbox.make_contact(organization, phone="5511999990001", name="Ana Souza")
    return inbox.make_conversation(organization, contact=contact)


def hear(conversation: Conversation, *texts: str, **fields: Any) -> list[str]:
    """What the bot answers when the customer has written these texts."""
    conversation.refresh_from_db()
    last = conversation.last_seq
    inbox.make_messages(conversation, texts, **fields)
    Conversation.objects.filter(pk=conversation.pk).update(turn_due_at=timezone.now())
    turns.take()
    conversation.refresh_from_db()
    answers = Message.objects.filter(conversation=conversation, seq__gt=last, direction="outbound")
    return list(answers.order_by("seq").values_list("text", flat=True))


def sessions(conversation: Conversation) -> list[tuple[str | None, dict[str, Any], bool]]:
    """(node, variables, live) of every session, the oldest first."""
    rows = FlowSession.objects.filter(conversation=conversation).order_by("created_at")
    return [(row.state["node"], row.state["variables"], row.ended_at is None) for row in rows]


def test_the_first_message_begins_the_flow_and_the_next_one_answers_it(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    assert hear(conversation, "Oi") == ["Qual seu nome?"]
    assert sessions(conversation) == [("question", {}, True)]
    assert (conversation.chatbot_id, conversation.active_chatbot_id) == (chatbot.pk, chatbot.pk)
    assert hear(conversation, "Ana") == ["Olá Ana!"]
    assert sessions(conversation) == [(None, {"nome": "Ana"}, False)]
    assert (conversation.chatbot_id, conversation.active_chatbot_id) == (chatbot.pk, None)
    said = Message.objects.filter(conversation=conversation, author=Message.Author.BOT)
    assert {(message.bot_id, message.status, message.type) for message in said} == {(chatbot.pk, "queued", "text")}
    assert set(Message.objects.filter(direction="inbound").values_list("processed_by_agent", flat=True)) == {True}


def test_after_the_end_the_next_message_begins_again(conversation: Conversation, chatbot: Chatbot) -> None:
    assert [hear(conversation, text) for text in ("Oi", "Ana", "Oi de novo", "Rui")] == [
        ["Qual seu nome?"],
        ["Olá Ana!"],
        ["Qual seu nome?"],
        ["Olá Rui!"],
    ]
    assert [live for _, _, live in sessions(conversation)] == [False, False]


def test_messages_that_came_together_are_heard_one_after_another(conversation: Conversation, chatbot: Chatbot) -> None:
    assert hear(conversation, "Oi", "Ana", "Oi", "Rui", "Oi") == [
        "Qual seu nome?",
        "Olá Ana!",
        "Qual seu nome?",
        "Olá Rui!",
        "Qual seu nome?",
    ]
    assert [live for _, _, live in sessions(conversation)] == [False, False, True]


def test_the_flow_knows_contact_conversation_and_globals(
    conversation: Conversation, organization: Organization
) -> None:
    text = "{{contact.name}} {{contact.phone}} {{conversation.id}} {{conversation.channel}} {{loja}} {{dias}}"
    canvas = draw(node("start"), node("message", content=text))
    chatbot = make_chatbot(
        organization, canvas=canvas, account=conversation.account, global_variables={"loja": "Sol", "dias": 1}
    )
    services.update_flow(flow=main_flow(chatbot), variables={"dias": 7})
    assert hear(conversation, "Oi") == [f"Ana Souza 5511999990001 {conversation.pk} whatsapp Sol 7"]
    assert sessions(conversation) == [(None, {}, False)]


def test_options_are_numbered_below_the_question_and_a_button_answers_it(
    conversation: Conversation, organization: Organization
) -> None:
    canvas = draw(
        node("start"),
        node("question", content="O que deseja?", options=["Comprar", "Vender"], variableName="x"),
        node("message", content="{{x}}!"),
    )
    make_chatbot(organization, canvas=canvas, account=conversation.account)
    assert hear(conversation, "Oi") == ["O que deseja?\n\n1. Comprar\n2. Vender"]
    reply = {"type": "interactive", "content": {"type": "button_reply", "id": "Vender", "title": "Vender"}}
    assert hear(conversation, "Quero este", **reply) == ["Vender!"]


def test_a_file_in_answer_to_a_question_is_kept_by_its_reference(conversation: Conversation, chatbot: Chatbot) -> None:
    hear(conversation, "Oi")
    content = {"id": "media-1", "mime_type": "image/jpeg", "caption": "eu", "unknown": 1}
    hear(conversation, "eu", type="image", content=content)
    [(_, variables, _)] = sessions(conversation)
    photo = Message.objects.get(type="image")
    assert variables == {
        "nome": {"type": "image", "message_id": str(photo.pk), "id": "media-1", "mime_type": "image/jpeg"}
    }


def test_what_says_nothing_is_no_answer_and_what_the_platform_says_is_not_heard(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    assert hear(conversation, "mudou de número", type="system", content={}) == []
    assert hear(conversation, "Oi") == ["Qual seu nome?"]
    assert hear(conversation, "Unsupported message", type="unsupported", content={}) == [
        "Por favor, envie uma resposta."
    ]


@pytest.mark.parametrize(
    "silence",
    [
        lambda chatbot: services.deactivate_chatbot(chatbot=chatbot),
        lambda chatbot: services.deactivate_flow(flow=main_flow(chatbot)),
        lambda chatbot: services.delete_flow(flow=main_flow(chatbot)),
        lambda chatbot: services.delete_chatbot(chatbot=chatbot),
        lambda chatbot: services.update_flow(flow=main_flow(chatbot), is_main=False),
        lambda chatbot: services.update_flow(flow=main_flow(chatbot), canvas_data={"nodes": []}),
    ],
)
def test_what_is_not_active_is_silent(
    conversation: Conversation, chatbot: Chatbot, silence: Callable[[Chatbot], object]
) -> None:
    silence(chatbot)
    assert hear(conversation, "Oi") == []
    assert not FlowSession.objects.exists()
    assert conversation.chatbot_id is None


def test_a_number_without_a_chatbot_is_silent_though_another_has_one(
    organization: Organization, conversation: Conversation
) -> None:
    make_chatbot(organization, account=inbox.make_account(organization))
    assert hear(conversation, "Oi") == []


def test_a_chatbot_that_was_silenced_goes_on_where_it_was(conversation: Conversation, chatbot: Chatbot) -> None:
    hear(conversation, "Oi")
    services.deactivate_chatbot(chatbot=chatbot)
    assert hear(conversation, "Ana") == []
    services.activate_chatbot(chatbot=chatbot)
    assert hear(conversation, "Rui") == ["Olá Rui!"]


def test_another_chatbot_of_the_number_begins_anew(
    organization: Organization, conversation: Conversation, chatbot: Chatbot
) -> None:
    hear(conversation, "Oi")
    other = make_chatbot(organization, canvas=ECHO, account=conversation.account)
    assert hear(conversation, "Ana") == ["Oi"]
    assert (conversation.chatbot_id, conversation.active_chatbot_id) == (other.pk, None)
    assert [live for _, _, live in sessions(conversation)] == [False, False]


def test_once_a_person_had_the_conversation_the_bot_begins_anew(
    conversation: Conversation, chatbot: Chatbot, agent: User
) -> None:
    hear(conversation, "Oi")
    person = Author.person(agent)
    holding.take(conversation=conversation, by=person)
    holding.give_back(conversation=conversation, by=person)
    assert hear(conversation, "Voltei") == ["Qual seu nome?"]
    assert sessions(conversation) == [("question", {}, False), ("question", {}, True)]


def test_a_conversation_stays_on_the_version_that_it_began_and_the_next_one_is_on_the_new_one(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    hear(conversation, "Oi")
    flow = main_flow(chatbot)
    canvas = {**flow.canvas_data, "nodes": [*flow.canvas_data["nodes"]]}
    canvas["nodes"][2] = node("message", content="Prazer, {{nome}}")
    services.update_flow(flow=flow, canvas_data=canvas)
    assert hear(conversation, "Ana") == ["Olá Ana!"]
    assert hear(conversation, "Oi", "Ana") == ["Qual seu nome?", "Prazer, Ana"]


@pytest.mark.parametrize(("closes", "status"), [(True, "closed"), (False, "open")])
def test_the_end_closes_the_conversation_only_when_it_says_so(
    organization: Organization, conversation: Conversation, closes: bool, status: str
) -> None:
    canvas = draw(node("start"), node("end", farewellMessage="Tchau", closeConversation=closes))
    make_chatbot(organization, canvas=canvas, account=conversation.account)
    assert hear(conversation, "Oi") == ["Tchau"]
    assert (conversation.status, conversation.closed_at is not None) == (status, closes)


def test_who_writes_on_after_an_end_is_not_closed_upon(organization: Organization, conversation: Conversation) -> None:
    canvas = draw(node("start"), node("question", content="Mais?"), node("end", closeConversation=True))
    make_chatbot(organization, canvas=canvas, account=conversation.account)
    assert hear(conversation, "Oi", "não", "aliás, sim") == ["Mais?", "Mais?"]
    assert conversation.closed_at is None


def test_a_flow_that_goes_in_circles_hands_over_with_its_reason_and_says_nothing(
    organization: Organization, conversation: Conversation
) -> None:
    circle = draw(node("start"), node("text", content="Oi"), edges=[edge("start", "text"), edge("text", "text")])
    make_chatbot(organization, canvas=circle, account=conversation.account)
    assert hear(conversation, "Oi", "Alô?") == []
    assert conversation.holder == Conversation.Holder.HUMAN
    [session] = FlowSession.objects.all()
    assert session.ended_at is not None
    assert session.problem.startswith("The flow goes in circles: it came to node 'text'")
    assert conversation.handover_logs.get().reason == session.problem


def test_a_chatbot_silenced_while_it_thinks_says_nothing_and_keeps_nothing(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    messages = inbox.make_messages(conversation, ["Oi"])
    flows = Flows()
    turn = Turn(conversation, tuple(messages))
    effects = flows.decide([turn])[conversation.pk]
    assert isinstance(effects, Effects)
    assert [content.text for content in effects.say] == ["Qual seu nome?"]
    services.deactivate_chatbot(chatbot=chatbot)
    with transaction.atomic():
        assert flows.save([(turn, effects)]) == set()
    assert not FlowSession.objects.exists()


def test_the_inbox_is_told_the_running_flow_its_node_and_variables(
    conversation: Conversation, chatbot: Chatbot, django_assert_num_queries: Any
) -> None:
    hear(conversation, "Oi")
    other = inbox.make_conversation(conversation.organization, account=conversation.account)
    with django_assert_num_queries(1):
        described = responders.get("flows").describe([conversation, other])
    assert described == {
        conversation.pk: {
            "active_flow_id": str(main_flow(chatbot).pk),
            "current_node_id": "question",
            "context_variables": {},
        }
    }
    hear(conversation, "Ana")
    with django_assert_num_queries(0):
        assert responders.get("flows").describe([conversation, other]) == {}


def test_a_session_whose_version_cannot_run_any_more_ends_and_the_message_begins_anew(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    hear(conversation, "Oi")
    session = FlowSession.objects.get()
    broken = FlowVersion.objects.create(
        organization=session.organization,
        flow=session.flow,
        number=9,
        canvas_data=draw(node("start"), node("of_another_time")),
    )
    FlowSession.objects.update(version=broken)
    assert hear(conversation, "Ana") == ["Qual seu nome?"]
    session.refresh_from_db()
    assert (session.ended_at is not None, session.problem) == (True, "Its version cannot run any more.")


def test_a_conversation_has_one_live_session(conversation: Conversation, chatbot: Chatbot) -> None:
    hear(conversation, "Oi")
    flow = Flow.objects.get()
    assert flow.version
    with pytest.raises(IntegrityError), transaction.atomic():
        FlowSession.objects.create(
            organization=conversation.organization, conversation=conversation, flow=flow, version=flow.version
        )


def _queries_for(organization: Organization, conversations: int) -> int:
    """How many queries it takes to decide and save a turn of each, each on a number and with a chatbot of its own."""
    batch = []
    for _ in range(conversations):
        conversation = inbox.make_conversation(organization)
        make_chatbot(organization, account=conversation.account)
        assert hear(conversation, "Oi") == ["Qual seu nome?"]
        messages = inbox.make_messages(conversation, ["Ana", "Oi"])
        batch.append(Turn(conversation, tuple(messages)))
        list(conversation.contact.identities.all())
    rows = Conversation.objects.select_related("account", "contact").prefetch_related("contact__identities")
    loaded = {row.pk: row for row in rows}
    batch = [Turn(loaded[turn.conversation.pk], turn.messages) for turn in batch]
    flows = Flows()
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        transaction.atomic(),
    ):
        decided = flows.decide(batch)
        effects = [(turn, one) for turn in batch if isinstance(one := decided[turn.conversation.pk], Effects)]
        assert len(flows.save(effects)) == conversations
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


def test_a_batch_takes_the_same_queries_however_large_it_is(organization: Organization) -> None:
    assert _queries_for(organization, 1) == _queries_for(organization, 12) == 7
