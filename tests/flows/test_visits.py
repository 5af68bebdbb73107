"""Visits: what the turn writes about each node that was left, and the months in which they are kept."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from apps.conversations.models import Conversation
from apps.flows import services, visits
from apps.flows.models import Chatbot, FlowSession, FlowVisit
from apps.organizations.models import Organization
from tests.flows.canvases import draw, edge, node
from tests.flows.factories import main_flow, make_chatbot
from tests.flows.test_responder import hear


def left(conversation: Conversation) -> list[tuple[str, str]]:
    """(node, exit) of every visit, in their order."""
    rows = FlowVisit.objects.filter(session__conversation=conversation)
    ordered = sorted(rows, key=lambda row: (row.entered_at + timedelta(seconds=row.seconds), row.place))
    return [(row.node, row.exit) for row in ordered]


def make_visit(organization: Organization, entered_at: datetime) -> FlowVisit:
    """A visit at that time, of a session that is gone."""
    row: FlowVisit = FlowVisit.objects.create(
        organization=organization,
        session_id=uuid4(),
        flow_id=uuid4(),
        version_id=uuid4(),
        node="start",
        exit="next",
        entered_at=entered_at,
        place=0,
        seconds=0,
    )
    return row


def part_of(row: FlowVisit) -> str:
    """The table in which a visit lies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM flows_flowvisit WHERE id = %s", [row.pk])
        [[part]] = cursor.fetchall()
    return str(part)


def test_a_node_is_recorded_when_it_is_left(conversation: Conversation, chatbot: Chatbot) -> None:
    hear(conversation, "Oi")
    assert left(conversation) == [("start", "next")]
    hear(conversation, "Ana")
    assert left(conversation) == [("start", "next"), ("question", "next"), ("message", "next"), ("end", "")]
    flow, session = main_flow(chatbot), FlowSession.objects.get()
    rows = FlowVisit.objects.all()
    assert {(row.organization_id, row.session_id, row.flow_id, row.version_id) for row in rows} == {
        (chatbot.organization_id, session.pk, flow.pk, flow.version_id)
    }
    waited = FlowVisit.objects.get(node="question")
    assert 0 < waited.seconds < 60
    assert [row.seconds for row in rows.exclude(node="question")] == [0, 0, 0]


def test_a_node_belongs_to_the_flow_and_version_into_which_the_session_jumped(
    organization: Organization, conversation: Conversation, chatbot: Chatbot
) -> None:
    other = services.create_flow(
        chatbot=chatbot, name="Vendas", canvas_data=draw(node("start", "s2"), node("message", "m2", content="Oi!"))
    )
    canvas = draw(node("start"), node("jump", targetFlowId=str(other.pk)))
    services.update_flow(flow=main_flow(chatbot), canvas_data=canvas)
    assert hear(conversation, "Oi") == ["Oi!"]
    assert left(conversation) == [("start", "next"), ("jump", "jump"), ("s2", "next"), ("m2", "next")]
    main = main_flow(chatbot)
    other.refresh_from_db()
    assert {(row.node, row.flow_id, row.version_id) for row in FlowVisit.objects.all()} == {
        ("start", main.pk, main.version_id),
        ("jump", main.pk, main.version_id),
        ("s2", other.pk, other.version_id),
        ("m2", other.pk, other.version_id),
    }


def test_a_flow_that_goes_in_circles_says_where_it_broke(
    organization: Organization, conversation: Conversation
) -> None:
    canvas = draw(
        node("start"),
        node("message", content="x"),
        node("message", "again", content="y"),
        edges=[edge("start", "message"), edge("message", "again"), edge("again", "message")],
    )
    make_chatbot(organization, account=conversation.account, canvas=canvas)
    hear(conversation, "Oi")
    [broken] = FlowVisit.objects.exclude(error="")
    assert (broken.node, broken.exit, broken.error) == ("again", "", FlowSession.objects.get().problem)
    assert FlowVisit.objects.count() == 101


def test_a_turn_whose_flow_may_not_speak_any_more_leaves_no_visit(conversation: Conversation, chatbot: Chatbot) -> None:
    services.deactivate_flow(flow=main_flow(chatbot))
    hear(conversation, "Oi")
    assert not FlowVisit.objects.exists()


def test_deleting_a_conversation_deletes_its_visits(conversation: Conversation, chatbot: Chatbot) -> None:
    hear(conversation, "Oi", "Ana")
    FlowSession.objects.get().delete()
    assert not FlowVisit.objects.exists()


def test_this_month_and_the_next_two_have_parts_of_their_own(organization: Organization) -> None:
    visits.keep_partitions()
    now = timezone.now()
    months = [(now.year + (now.month + ahead - 1) // 12, (now.month + ahead - 1) % 12 + 1) for ahead in range(3)]
    names = [f"flows_flowvisit_{year}{month:02}" for year, month in months]
    assert visits.parts() == [*names, "flows_flowvisit_default"]
    assert [part_of(make_visit(organization, datetime(year, month, 1, tzinfo=UTC))) for year, month in months] == names
    last = datetime(*months[2], 28, 23, 59, tzinfo=UTC)
    assert part_of(make_visit(organization, last)) == names[2]
    assert part_of(make_visit(organization, last + timedelta(days=10))) == "flows_flowvisit_default"
    visits.keep_partitions()
    assert visits.parts() == [*names, "flows_flowvisit_default"]


def test_a_month_that_has_begun_in_the_default_part_stays_there(organization: Organization) -> None:
    row = make_visit(organization, timezone.now())
    visits.keep_partitions()
    assert part_of(row) == "flows_flowvisit_default"
    assert f"flows_flowvisit_{timezone.now():%Y%m}" not in visits.parts()
    assert len(visits.parts()) == 3


def test_what_is_older_than_the_setting_says_is_dropped(organization: Organization, settings: Settings) -> None:
    now = timezone.now()
    kept = make_visit(organization, now - timedelta(days=390))
    make_visit(organization, now - timedelta(days=410))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE flows_flowvisit_202001 PARTITION OF flows_flowvisit"
            " FOR VALUES FROM ('2020-01-01+00') TO ('2020-02-01+00')"
        )
    make_visit(organization, datetime(2020, 1, 31, tzinfo=UTC))
    visits.keep_partitions()
    assert list(FlowVisit.objects.values_list("pk", flat=True)) == [kept.pk]
    assert "flows_flowvisit_202001" not in visits.parts()
    settings.FLOW_VISITS_DAYS = 380
    visits.keep_partitions()
    assert not FlowVisit.objects.exists()


@pytest.mark.parametrize("month", [1, 12])
def test_a_part_is_kept_until_its_last_day_is_too_old(
    organization: Organization, settings: Settings, month: int
) -> None:
    year = timezone.now().year - 1
    ends: Any = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    part = f"flows_flowvisit_{year}{month:02}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {part} PARTITION OF flows_flowvisit"
            f" FOR VALUES FROM ('{year}-{month:02}-01+00') TO ('{ends.isoformat()}')"
        )
    age = (timezone.now() - ends).days
    settings.FLOW_VISITS_DAYS = age + 1
    visits.keep_partitions()
    assert part in visits.parts()
    settings.FLOW_VISITS_DAYS = age
    visits.keep_partitions()
    assert part not in visits.parts()
