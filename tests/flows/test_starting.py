"""Who starts: chatbots and their fallback, triggers, words that count in any state, A/B tests, and what comes after."""

from collections import Counter
from typing import Any

import pytest

from apps.conversations.models import Conversation
from apps.flows import services
from apps.flows.models import Chatbot, Flow, FlowSession
from apps.organizations.models import Organization
from tests.flows.canvases import draw, node
from tests.flows.factories import main_flow, make_chatbot
from tests.flows.test_responder import hear
from tests.support import inbox


def say(words: str) -> dict[str, Any]:
    """A flow that says this and ends."""
    return draw(node("start"), node("message", content=words), node("end"))


def flow_of(chatbot: Chatbot, words: str, **fields: Any) -> Flow:
    """Another flow of the chatbot."""
    return services.create_flow(chatbot=chatbot, name=words, canvas_data=say(words), **fields)


def keyword(*words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "keyword", "keywords": list(words), **fields}


def test_the_fallback_chatbot_answers_where_no_chatbot_is_chosen(
    organization: Organization, conversation: Conversation
) -> None:
    make_chatbot(organization, canvas=say("Reserva"), is_fallback=True)
    assert hear(conversation, "Oi") == ["Reserva"]
    own = make_chatbot(organization, canvas=say("Própria"), account=conversation.account)
    assert hear(conversation, "Oi") == ["Própria"]
    services.deactivate_chatbot(chatbot=own)
    assert hear(conversation, "Oi") == []


def test_the_fallback_chatbot_of_another_organization_is_silent(
    conversation: Conversation, other_organization: Organization
) -> None:
    make_chatbot(other_organization, canvas=say("Alheia"), is_fallback=True)
    assert hear(conversation, "Oi") == []


@pytest.mark.parametrize(
    ("trigger", "said", "fits"),
    [
        (keyword("preço", "valor"), "Preco", True),
        (keyword("preço"), "qual o preço?", False),
        (keyword("preço", match="contains"), "qual o PREÇO?", True),
        (keyword("preço", match="contains"), "apreços", False),
        (keyword("quero", match="starts"), "Quero comprar", True),
        (keyword("quero", match="starts"), "eu quero", False),
        ({"type": "regex", "pattern": r"\bpedido\s+#?\d+"}, "Cadê o PEDIDO 42?", True),
        ({"type": "regex", "pattern": r"^\d+$"}, "pedido 42", False),
        ({"type": "regex", "pattern": r"(a+)+$"}, "a" * 60 + "!", False),
        ({"type": "first_contact"}, "Oi", True),
    ],
)
def test_a_trigger_starts_its_flow_instead_of_the_main_one(
    conversation: Conversation, chatbot: Chatbot, trigger: dict[str, Any], said: str, fits: bool
) -> None:
    flow = flow_of(chatbot, "Gatilho", triggers=[trigger])
    assert hear(conversation, said) == (["Gatilho"] if fits else ["Qual seu nome?"])
    session = FlowSession.objects.get()
    assert (session.flow_id == flow.pk, session.started_by) == (fits, trigger["type"] if fits else "")


def test_who_wrote_before_is_no_first_contact(
    organization: Organization, conversation: Conversation, chatbot: Chatbot
) -> None:
    inbox.make_conversation(organization, contact=conversation.contact)
    flow_of(chatbot, "Bem-vindo", triggers=[{"type": "first_contact"}])
    assert hear(conversation, "Oi") == ["Qual seu nome?"]


@pytest.mark.parametrize(
    ("referral", "fits"),
    [({"source_id": "120", "source_type": "ad"}, True), ({"source_id": "121"}, False), (None, False)],
)
def test_an_advertisement_starts_the_flow_that_is_made_for_it(
    conversation: Conversation, chatbot: Chatbot, referral: dict[str, str] | None, fits: bool
) -> None:
    flow_of(chatbot, "Promoção", triggers=[{"type": "referral", "source_id": "120"}])
    content = {"text": "Oi", **({"referral": referral} if referral else {})}
    assert hear(conversation, "Oi", content=content) == (["Promoção"] if fits else ["Qual seu nome?"])


def test_the_button_of_a_template_starts_its_flow_in_the_middle_of_another(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    flow_of(chatbot, "Segunda via", triggers=[{"type": "template_button", "payload": "BOLETO"}])
    hear(conversation, "Oi")
    pressed = {"type": "button", "content": {"id": "BOLETO", "title": "Quero o boleto"}}
    assert hear(conversation, "Quero o boleto", **pressed) == ["Segunda via"]


def test_a_keyword_interrupts_a_running_flow_only_where_it_may(conversation: Conversation, chatbot: Chatbot) -> None:
    flow = flow_of(chatbot, "Preços", triggers=[keyword("preço")])
    hear(conversation, "Oi")
    assert hear(conversation, "preço") == ["Olá preço!"]
    services.update_flow(flow=flow, triggers=[keyword("preço", anytime=True)])
    assert hear(conversation, "Oi", "preço") == ["Qual seu nome?", "Preços"]
    assert FlowSession.objects.live().count() == 0


@pytest.mark.parametrize(
    ("word", "heard", "holder", "live"),
    [
        ("Menu!", ["Voltando", "Qual seu nome?"], "bot", 1),
        ("SAIR", ["Até mais"], "bot", 0),
        ("atendente", ["Um momento"], "human", 0),
        ("preços", ["Preços"], "bot", 0),
    ],
)
def test_global_words_count_in_the_middle_of_a_question(
    conversation: Conversation, chatbot: Chatbot, word: str, heard: list[str], holder: str, live: int
) -> None:
    prices = flow_of(chatbot, "Preços")
    services.update_chatbot(
        chatbot=chatbot,
        keywords=[
            {"words": ["menu"], "action": "menu", "message": "Voltando"},
            {"words": ["sair", "exit"], "action": "exit", "message": "Até mais"},
            {"words": ["atendente"], "action": "human", "message": "Um momento"},
            {"words": ["preços"], "action": "flow", "flow_id": str(prices.pk)},
        ],
    )
    hear(conversation, "Oi")
    assert hear(conversation, word) == heard
    assert (conversation.holder, FlowSession.objects.live().count()) == (holder, live)


def test_both_sides_of_a_test_are_met_by_their_weights_and_each_contact_stays_on_one(
    organization: Organization, conversation: Conversation, chatbot: Chatbot
) -> None:
    one, two = flow_of(chatbot, "A"), flow_of(chatbot, "B")
    sides = [
        {"flow_id": str(one.pk), "weight": 3, "variant_name": "curta"},
        {"flow_id": str(two.pk), "weight": 1, "variant_name": "longa"},
    ]
    services.update_chatbot(chatbot=chatbot, ab_test_enabled=True, ab_test_flows=sides)
    answers = Counter[str]()
    for _ in range(60):
        other = inbox.make_conversation(organization, account=conversation.account)
        first = hear(other, "Oi")
        assert hear(other, "Oi") == first
        answers.update(first)
    assert answers.keys() == {"A", "B"}
    assert 30 <= answers["A"] <= 57
    assert set(FlowSession.objects.values_list("flow__name", "variant")) == {("A", "curta"), ("B", "longa")}


def test_after_the_end_the_next_message_is_left_to_agents_and_people_where_the_chatbot_says_so(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    services.update_chatbot(chatbot=chatbot, after_end="agent")
    flow_of(chatbot, "Preços", triggers=[keyword("preço")])
    assert hear(conversation, "Oi", "Ana") == ["Qual seu nome?", "Olá Ana!"]
    assert hear(conversation, "E agora?") == []
    assert hear(conversation, "preço") == ["Preços"]


def test_the_fallback_flow_begins_where_the_main_one_is_not_active(
    conversation: Conversation, chatbot: Chatbot
) -> None:
    flow_of(chatbot, "Reserva", is_fallback=True)
    services.deactivate_flow(flow=main_flow(chatbot))
    assert hear(conversation, "Oi") == ["Reserva"]


def test_messages_that_fly_faster_than_people_write_go_to_people(conversation: Conversation, chatbot: Chatbot) -> None:
    inbox.make_messages(conversation, ["eco"] * 200, processed_by_agent=True)
    Conversation.objects.filter(pk=conversation.pk).update(handled_seq=200)
    assert hear(conversation, "eco") == []
    assert conversation.holder == "human"
    assert "two machines" in conversation.handover_logs.get().reason
