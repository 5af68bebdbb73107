from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows import graph
from tests.flows.canvases import draw, node, problems, talk


def compute(known: dict[str, Any] | None = None, **data: Any) -> Any:
    """What the node keeps; the clock shows 12:30 in São Paulo on 24 November 2026."""
    canvas = draw(node("start"), node("datetime", outputVariable="x", **data), node("end"))
    step = talk(canvas, known=known or {})
    return step.problem.message if step.problem else step.state.variables["x"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "2026-11-24T12:30:00-03:00"),
        ({"operation": "get_current", "format": "%d/%m/%Y %H:%M"}, "24/11/2026 12:30"),
        ({"timezone": "UTC", "outputFormat": "%H:%M"}, "15:30"),
        ({"timezone": "Asia/Tokyo", "outputFormat": "%d %H:%M"}, "25 00:30"),
        ({"operation": "format", "sourceVariable": "iso", "format": "%d/%m/%y"}, "31/01/26"),
        ({"operation": "format", "sourceVariable": "br", "format": "%Y-%m-%d %H:%M"}, "2026-01-31 08:05"),
        ({"operation": "format", "sourceVariable": "epoch", "timezone": "UTC"}, "2023-11-14T22:13:20+00:00"),
        ({"operation": "format", "sourceVariable": "millis", "timezone": "UTC"}, "2023-11-14T22:13:20+00:00"),
        ({"operation": "format", "format": "%Y"}, "2026"),
        ({"operation": "parse", "sourceVariable": "us", "inputFormat": "%m/%d/%Y"}, "2026-02-03T00:00:00-03:00"),
        ({"operation": "parse", "sourceVariable": "utc"}, "2026-01-01T09:00:00-03:00"),
        ({"operation": "add", "addAmount": 90, "addUnit": "minutes"}, "2026-11-24T14:00:00-03:00"),
        ({"operation": "add", "addAmount": "{{dias}}"}, "2026-11-26T12:30:00-03:00"),
        ({"operation": "subtract", "addAmount": 1, "addUnit": "hours"}, "2026-11-24T11:30:00-03:00"),
        (
            {"operation": "add", "sourceVariable": "iso", "addAmount": 1, "addUnit": "months"},
            "2026-02-28T00:00:00-03:00",
        ),
        ({"operation": "add", "addAmount": -2, "addUnit": "years"}, "2024-11-24T12:30:00-03:00"),
        ({"operation": "add", "addAmount": "1,5", "addUnit": "years"}, "2028-05-24T12:30:00-03:00"),
        ({"operation": "subtract", "addAmount": 11, "addUnit": "months"}, "2025-12-24T12:30:00-03:00"),
        (
            {"operation": "subtract", "sourceVariable": "leap", "addAmount": 1, "addUnit": "years"},
            "2023-02-28T00:00:00-03:00",
        ),
        ({"operation": "compare", "sourceVariable": "iso", "compareOperator": "lt"}, True),
        ({"operation": "compare", "sourceVariable": "iso", "compareWith": "31/01/2026"}, True),
        ({"operation": "compare", "sourceVariable": "iso", "compareVariable": "br", "compareOperator": "gte"}, False),
        ({"operation": "compare", "compareWith": "now", "compareOperator": "lte"}, True),
        (
            {"operation": "compare", "sourceVariable": "us", "inputFormat": "%m/%d/%Y", "compareWith": "2026-02-03"},
            True,
        ),
        ({"operation": "compare", "compareWith": "{{iso}}", "compareOperator": "gt"}, True),
    ],
)
def test_times_are_read_written_moved_and_compared(data: dict[str, Any], expected: Any) -> None:
    known = {
        "iso": "2026-01-31",
        "br": "31/1/2026 08:05",
        "us": "02/03/2026",
        "utc": "2026-01-01T12:00:00Z",
        "epoch": 1700000000,
        "millis": 1700000000000,
        "leap": "2024-02-29",
        "dias": 2,
    }
    assert compute(known, **data) == expected


def test_hours_pass_and_days_keep_the_hour_where_the_clock_is_changed() -> None:
    data = {"timezone": "America/New_York", "sourceVariable": "x0", "operation": "add"}
    known = {"x0": "2026-03-07T12:00:00"}
    assert compute(known, addAmount=24, addUnit="hours", **data) == "2026-03-08T13:00:00-04:00"
    assert compute(known, addAmount=1, addUnit="days", **data) == "2026-03-08T12:00:00-04:00"


def test_an_hour_that_the_clock_shows_twice_is_two_hours_for_a_comparison() -> None:
    known = {"summer": "2026-11-01T01:30:00-04:00", "winter": "2026-11-01T01:30:00-05:00"}
    data = {"operation": "compare", "sourceVariable": "summer", "compareVariable": "winter"}
    assert compute(known, timezone="America/New_York", compareOperator="lt", **data) is True
    assert compute(known, timezone="America/New_York", compareOperator="eq", **data) is False


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"operation": "format", "sourceVariable": "nada"}, "there is no variable 'nada'"),
        ({"operation": "parse", "sourceVariable": "x"}, "'ontem' is no time"),
        ({"operation": "compare", "compareWith": "{{x}}"}, "'ontem' is no time"),
        ({"operation": "add", "addAmount": "{{x}}"}, "the amount of time is no number"),
        ({"operation": "add", "addAmount": 9000, "addUnit": "years"}, "the year 11026 is none"),
    ],
)
def test_what_is_no_time_breaks_the_flow_off(data: dict[str, Any], reason: str) -> None:
    assert compute({"x": "ontem"}, **data) == f"Node 'datetime': {reason}"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"operation": "guess"}, "operation"),
        ({"operation": "parse"}, ""),
        ({"addUnit": "weeks"}, "addUnit"),
        ({"format": "%" * 101}, "format"),
    ],
)
def test_what_cannot_be_computed_is_a_problem(data: dict[str, Any], field: str) -> None:
    canvas = draw(node("start"), node("datetime", **data))
    assert [(where, named) for where, named, _ in problems(canvas)] == [("datetime", field)]


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["format", "add", "subtract", "compare", "parse"]),
    st.text(max_size=20)
    | st.integers()
    | st.dates().map(str)
    | st.sampled_from(["9" * 30, "00/00/0000", "31/12/9999"]),
    st.text(max_size=6) | st.sampled_from(["%d/%m/%Y", "%", "%Q", "%%%"]),
    st.integers() | st.floats(allow_nan=False),
    st.sampled_from(["minutes", "hours", "days", "months", "years"]),
)
def test_any_value_gives_a_result_or_a_problem(
    operation: str, value: Any, format: str, amount: float, unit: str
) -> None:
    data = {"operation": operation, "sourceVariable": "v", "format": format, "inputFormat": format}
    canvas = draw(node("start"), node("datetime", addAmount=amount, addUnit=unit, **data))
    assert graph.compile(canvas)
    assert talk(canvas, known={"v": value}).finished
