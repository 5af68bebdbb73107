"""The numbers of a flow, counted from real turns."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from apps.conversations.models import Conversation
from apps.flows import numbers, services
from apps.flows.models import Chatbot, Flow, FlowSession, FlowVisit
from apps.organizations.models import Organization, User
from tests.flows.canvases import draw, edge, node
from tests.flows.factories import main_flow, make_chatbot
from tests.flows.test_responder import hear
from tests.support import inbox

Api = Callable[..., APIClient]
BUTTONS = [{"id": "Sim", "title": "Sim"}, {"id": "Não", "title": "Não"}]
CHOICE = draw(
    node("start", label="Início"),
    node("buttons", "question", label="Pergunta", bodyText="Comprar?", buttons=BUTTONS, outputVariable="quer"),
    node("message", "yes", label="Oba", content="Oba!"),
    node("question", "why", label="Motivo", content="Por quê?", variableName="_motivo"),
    edges=[edge("start", "question"), edge("question", "yes", "Sim"), edge("question", "why", "Não")],
)


@pytest.fixture
def chatbot(organization: Organization) -> Chatbot:
    return make_chatbot(organization, account=inbox.make_account(organization), canvas=CHOICE)


@pytest.fixture
def flow(chatbot: Chatbot) -> Flow:
    return main_flow(chatbot)


def make_conversation(flow: Flow, name: str = "Ana") -> Conversation:
    """A customer on the chatbot's account."""
    account = flow.chatbot.accounts.get().account
    contact = inbox.make_contact(flow.organization, name=name)
    return inbox.make_conversation(flow.organization, account=account, contact=contact)


def ask(client: APIClient, flow: Flow, path: str = "stats", **query: Any) -> Any:
    answer = client.get(f"/api/v1/flows/{flow.pk}/{path}", query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def by_node(stats: Any, *fields: str) -> dict[str, tuple[Any, ...]]:
    return {row["node"]: tuple(row[field] for field in fields) for row in stats["nodes"]}


def test_nodes_edges_and_sessions_are_counted(api: Api, viewer: User, flow: Flow) -> None:
    first, second, third = (make_conversation(flow) for _ in range(3))
    hear(first, "Oi", "Sim")
    hear(second, "Oi", "Não")
    hear(third, "Oi")
    stats = ask(api(viewer), flow)
    assert stats["sessions"] == {"begun": 3, "ended": 1, "broken": 0, "live": 2}
    assert by_node(stats, "type", "label", "visits", "waiting_now", "drop_off") == {
        "start": ("start", "Início", 3, 0, 0),
        "question": ("interactive_buttons", "Pergunta", 2, 1, 0),
        "yes": ("message", "Oba", 1, 0, 0),
        "why": ("question", "Motivo", 0, 1, 0),
    }
    taken = {(row["source"], row["target"]): (row["count"], row["share"]) for row in stats["edges"] if row["target"]}
    assert taken == {
        ("start", "question"): (3, 1.0),
        ("question", "yes"): (1, 0.5),
        ("question", "why"): (1, 0.5),
    }
    assert stats["variants"] == []


def test_who_is_given_up_at_a_node_has_dropped_off_there(api: Api, viewer: User, flow: Flow) -> None:
    for _ in range(3):
        hear(make_conversation(flow), "Oi")
    hear(make_conversation(flow), "Oi", "Sim")
    given_up = FlowSession.objects.live().earliest("created_at")
    FlowSession.objects.filter(pk=given_up.pk).update(ended_at=timezone.now())
    stats = ask(api(viewer), flow)
    assert by_node(stats, "visits", "waiting_now", "drop_off", "drop_off_share") == {
        "start": (4, 0, 0, 0.0),
        "question": (1, 2, 1, 0.5),
        "yes": (1, 0, 0, 0.0),
        "why": (0, 0, 0, 0.0),
    }


def test_the_median_is_of_all_visits_and_the_last_error_is_told(api: Api, viewer: User, flow: Flow) -> None:
    for _ in range(3):
        hear(make_conversation(flow), "Oi", "Sim")
    for seconds, row in zip((10, 30, 70), FlowVisit.objects.filter(node="question").order_by("pk"), strict=True):
        FlowVisit.objects.filter(pk=row.pk).update(seconds=seconds)
    old, new, _ = FlowVisit.objects.filter(node="yes").order_by("entered_at")
    FlowVisit.objects.filter(pk=old.pk).update(error="old")
    FlowVisit.objects.filter(pk=new.pk).update(error="new", entered_at=timezone.now() - timedelta(seconds=0.001))
    assert by_node(ask(api(viewer), flow), "median_seconds", "errors", "last_error") == {
        "start": (0, 0, ""),
        "question": (30, 0, ""),
        "yes": (0, 2, "new"),
        "why": (None, 0, ""),
    }


def test_a_session_that_breaks_is_counted_as_broken_where_it_broke(
    api: Api, viewer: User, organization: Organization
) -> None:
    canvas = draw(
        node("start"),
        node("message", "a", content="x"),
        node("message", "b", content="y"),
        edges=[edge("start", "a"), edge("a", "b"), edge("b", "a")],
    )
    flow = main_flow(make_chatbot(organization, account=inbox.make_account(organization), canvas=canvas))
    hear(make_conversation(flow), "Oi")
    stats = ask(api(viewer), flow)
    assert stats["sessions"] == {"begun": 1, "ended": 0, "broken": 1, "live": 0}
    assert by_node(stats, "errors", "last_error", "drop_off")["b"] == (1, FlowSession.objects.get().problem, 0)


def test_only_the_span_that_is_asked_for_counts(api: Api, viewer: User, flow: Flow) -> None:
    hear(make_conversation(flow), "Oi", "Sim")
    now = timezone.now()
    FlowSession.objects.update(created_at=now - timedelta(days=40))
    FlowVisit.objects.update(entered_at=now - timedelta(days=40))
    client = api(viewer)
    assert ask(client, flow)["sessions"]["begun"] == 0
    assert by_node(ask(client, flow), "visits")["start"] == (0,)
    since, until = (now - timedelta(days=41)).isoformat(), (now - timedelta(days=39)).isoformat()
    stats = ask(client, flow, since=since, until=until)
    assert (stats["sessions"]["begun"], by_node(stats, "visits")["start"]) == (1, (1,))
    assert ask(client, flow, until=until)["sessions"]["begun"] == 1
    assert ask(client, flow, since=since, until=(now - timedelta(days=40)).isoformat())["sessions"]["begun"] == 0


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"until": "2026-13-01"},
        {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"until": "0001-01-01T00:00:00Z"},
        {"since": "9999-12-31T23:59:59Z"},
    ],
)
def test_a_span_that_is_none_is_refused(api: Api, viewer: User, flow: Flow, query: dict[str, str]) -> None:
    answer = api(viewer).get(f"/api/v1/flows/{flow.pk}/stats", query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


def test_what_is_counted_costs_the_same_queries_however_large_the_flow(
    flow: Flow, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    flow = Flow.objects.select_related("version", "chatbot").get(pk=flow.pk)
    for _ in range(2):
        with django_assert_num_queries(6):
            numbers.stats(flow, since=now - timedelta(days=1), until=now + timedelta(days=1))
        hear(make_conversation(flow), "Oi", "Sim", "Oi", "Não", "caro")


def test_a_session_that_jumped_waits_and_drops_off_in_the_other_flow(
    api: Api, viewer: User, chatbot: Chatbot, flow: Flow
) -> None:
    other = services.create_flow(
        chatbot=chatbot, name="Vendas", canvas_data=draw(node("start"), node("question", content="Qual?"))
    )
    services.update_flow(flow=flow, canvas_data=draw(node("start"), node("jump", targetFlowId=str(other.pk))))
    first, second = make_conversation(flow), make_conversation(flow)
    hear(first, "Oi")
    hear(second, "Oi")
    FlowSession.objects.filter(conversation=second).update(ended_at=timezone.now())
    client = api(viewer)
    assert by_node(ask(client, other), "visits", "waiting_now", "drop_off") == {
        "start": (2, 0, 0),
        "question": (0, 1, 1),
    }
    assert by_node(ask(client, flow), "visits", "waiting_now", "drop_off") == {"start": (2, 0, 0), "jump": (2, 0, 0)}
    assert ask(client, other)["sessions"]["begun"] == 0


def test_a_node_that_is_no_longer_drawn_comes_last_without_a_label(api: Api, viewer: User, flow: Flow) -> None:
    hear(make_conversation(flow), "Oi", "Sim")
    services.update_flow(flow=flow, canvas_data=draw(node("start"), node("message", content="Olá")))
    told = [(row["node"], row["type"], row["visits"]) for row in ask(api(viewer), flow)["nodes"]]
    assert told == [("start", "start", 1), ("message", "message", 0), ("question", "", 1), ("yes", "", 1)]


def test_a_draft_that_cannot_run_has_numbers_too(api: Api, viewer: User, chatbot: Chatbot) -> None:
    draft = services.create_flow(chatbot=chatbot, name="x", canvas_data=draw(node("start"), node("teleport")))
    assert draft.version is None
    stats = ask(api(viewer), draft)
    assert [(row["node"], row["type"]) for row in stats["nodes"]] == [("start", "start"), ("teleport", "teleport")]
    assert stats["edges"] == []


def test_the_sides_of_a_test_are_told_together(api: Api, viewer: User, chatbot: Chatbot, flow: Flow) -> None:
    other = services.create_flow(
        chatbot=chatbot, name="B", canvas_data=draw(node("start"), node("message", content="B"))
    )
    for variant, start, ended in [("a", flow, 10), ("a", flow, 30), ("a", flow, None), ("b", other, 50)]:
        hear(conversation := make_conversation(flow), "Oi")
        row = FlowSession.objects.filter(conversation=conversation)
        ended_at = row.get().created_at + timedelta(seconds=ended) if ended else None
        row.update(variant=variant, flow=start, ended_at=ended_at)
    assert ask(api(viewer), flow)["variants"] == [
        {"variant": "a", "sessions": 3, "ended": 2, "median_seconds": 20},
        {"variant": "b", "sessions": 1, "ended": 1, "median_seconds": 50},
    ]


def test_sessions_are_listed_newest_first(api: Api, viewer: User, flow: Flow) -> None:
    for name in ("Ana", "Rui", "Eva"):
        hear(make_conversation(flow, name), "Oi")
    client = api(viewer)
    rows = ask(client, flow, "sessions")
    assert [row["contact_name"] for row in rows] == ["Eva", "Rui", "Ana"]
    session = FlowSession.objects.get(conversation__contact__name="Rui")
    assert rows[1] == {
        "id": str(session.pk),
        "conversation_id": str(session.conversation_id),
        "contact_name": "Rui",
        "version": session.version.number,
        "variant": "",
        "started_by": "",
        "node": "question",
        "problem": "",
        "created_at": session.created_at.isoformat().replace("+00:00", "Z"),
        "ended_at": None,
    }
    assert [row["contact_name"] for row in ask(client, flow, "sessions", skip=1, limit=1)] == ["Rui"]
    assert client.get(f"/api/v1/flows/{flow.pk}/sessions", {"limit": 0}).status_code == 400


def test_one_session_tells_its_path_and_what_it_knows(api: Api, viewer: User, flow: Flow) -> None:
    conversation = make_conversation(flow)
    hear(conversation, "Oi")
    hear(conversation, "Não")
    hear(conversation, "Caro")
    session = FlowSession.objects.get()
    told = ask(api(viewer), flow, f"sessions/{session.pk}")
    assert [(stop["node"], stop["label"], stop["exit"], stop["error"]) for stop in told["path"]] == [
        ("start", "Início", "next", ""),
        ("question", "Pergunta", "choice:Não", ""),
        ("why", "Motivo", "next", ""),
    ]
    assert told["node"] is None
    assert session.state["variables"] == {"quer": "Não", "_motivo": "Caro"}
    assert told["variables"] == {"quer": "Não"}


def test_a_session_of_another_flow_is_not_found(api: Api, viewer: User, chatbot: Chatbot, flow: Flow) -> None:
    hear(make_conversation(flow), "Oi")
    other = services.create_flow(chatbot=chatbot, name="Vendas")
    answer = api(viewer).get(f"/api/v1/flows/{other.pk}/sessions/{FlowSession.objects.get().pk}")
    assert answer.status_code == 404
