"""What a flow calls for, over the real turn: taken by a caller, asked of a real server, fenced like any other."""

from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.conversations import holding, thinking, turns
from apps.conversations.authors import Author
from apps.conversations.models import Conversation, Message
from apps.flows.models import FlowSession
from apps.organizations import secrets
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, edge, node
from tests.flows.factories import make_chatbot
from tests.flows.test_responder import hear

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def orders(httpserver: HTTPServer, settings: Settings) -> HTTPServer:
    """A shop's API, which is private as the tests are."""
    settings.EGRESS_ALLOW = [f"{httpserver.host}:{httpserver.port}"]
    return httpserver


def asking(orders: HTTPServer, **data: Any) -> dict[str, Any]:
    """A flow that asks for a number, looks up the order and says where it is."""
    call = node("api_call", **{"url": orders.url_for("/pedidos/{{numero}}"), "outputVariable": "pedido", **data})
    return draw(
        node("start"),
        node("question", content="Número?", variableName="numero"),
        call,
        node("script", code="const dias = pedido.prazo * 2; return { frase: `em ${dias} dias` }"),
        node("message", content="{{pedido.estado}}, {{frase}}"),
        node("message", "failed", content="Não achei"),
        edges=[
            edge("start", "question"),
            edge("question", "api_call"),
            edge("api_call", "script"),
            edge("script", "message"),
            edge("api_call", "failed", "error"),
        ],
    )


def call(conversation: Conversation) -> list[str]:
    """What is said once the caller has done what the detached turn wants."""
    last = conversation.last_seq
    assert conversation.turn_lease is not None
    thinking.think(conversation_id=conversation.pk, lease=conversation.turn_lease, responder="flows")
    conversation.refresh_from_db()
    said = Message.objects.filter(conversation=conversation, seq__gt=last, direction="outbound")
    return list(said.order_by("seq").values_list("text", flat=True))


def test_a_flow_that_calls_is_taken_by_the_caller_and_answers_from_what_came_back(
    organization: Organization, admin: User, conversation: Conversation, orders: HTTPServer
) -> None:
    host = f"{orders.host}:{orders.port}"
    secrets.create(organization=organization, name="LOJA", host=host, value="segredo-1234567", by=admin)
    headers = {"Authorization": "Bearer {{secrets.LOJA}}"}
    make_chatbot(organization, canvas=asking(orders, headers=headers), account=conversation.account)
    orders.expect_request("/pedidos/42", headers={"Authorization": "Bearer segredo-1234567"}).respond_with_json(
        {"estado": "A caminho", "prazo": 2}
    )
    assert hear(conversation, "Oi") == ["Número?"]
    assert hear(conversation, "42") == []
    assert orders.log == []
    assert call(conversation) == ["A caminho, em 4 dias"]
    assert (conversation.turn_lease, conversation.active_chatbot_id) == (None, None)
    variables = FlowSession.objects.get().state["variables"]
    assert (variables["numero"], variables["frase"]) == ("42", "em 4 dias")
    assert "segredo" not in str(variables)


def test_a_failure_goes_the_way_that_is_drawn_for_it(
    organization: Organization, conversation: Conversation, orders: HTTPServer
) -> None:
    make_chatbot(organization, canvas=asking(orders), account=conversation.account)
    orders.expect_request("/pedidos/7").respond_with_data("gone", status=404)
    hear(conversation, "Oi")
    hear(conversation, "7")
    assert call(conversation) == ["Não achei"]


def test_who_is_taken_over_while_the_api_is_asked_hears_nothing_of_the_bot(
    organization: Organization, agent: User, conversation: Conversation, orders: HTTPServer
) -> None:
    make_chatbot(organization, canvas=asking(orders), account=conversation.account)

    def take_over(_: Request) -> Response:
        row = Conversation.objects.get(pk=conversation.pk)
        holding.take(conversation=row, by=Author.person(agent), reason="replied")
        return Response('{"estado": "A caminho", "prazo": 2}', content_type="application/json")

    orders.expect_request("/pedidos/42").respond_with_handler(take_over)
    hear(conversation, "Oi")
    hear(conversation, "42")
    assert call(conversation) == []
    assert (conversation.holder, conversation.assignee) == ("human", agent)
    assert FlowSession.objects.get().state["node"] == "question"


def test_a_caller_that_hangs_is_fenced_and_the_next_one_makes_the_same_request(
    organization: Organization, conversation: Conversation, orders: HTTPServer
) -> None:
    make_chatbot(organization, canvas=asking(orders, method="POST"), account=conversation.account)
    answer = {"estado": "Criado", "prazo": 1}

    def hang(_: Request) -> Response:
        """So long that the lease expires, and the turn is taken again."""
        rows = Conversation.objects.filter(pk=conversation.pk, turn_lease=conversation.turn_lease)
        rows.update(turn_lease_until=timezone.now())
        turns.take()
        return Response(orjson.dumps(answer), content_type="application/json")

    orders.expect_ordered_request("/pedidos/42").respond_with_handler(hang)
    orders.expect_ordered_request("/pedidos/42").respond_with_json(answer)
    hear(conversation, "Oi")
    hear(conversation, "42")
    assert call(conversation) == []
    assert call(conversation) == ["Criado, em 2 dias"]
    keys = {request.headers["Idempotency-Key"] for request, _ in orders.log}
    assert (len(orders.log), len(keys)) == (2, 1)


def test_the_private_network_is_not_asked(
    organization: Organization, conversation: Conversation, orders: HTTPServer, settings: Settings
) -> None:
    settings.EGRESS_ALLOW = []
    make_chatbot(organization, canvas=asking(orders), account=conversation.account)
    hear(conversation, "Oi")
    hear(conversation, "42")
    assert call(conversation) == ["Não achei"]
    assert orders.log == []
    error = FlowSession.objects.get().state["variables"]["pedido_error"]["message"]
    assert "127.0.0.1" not in error
