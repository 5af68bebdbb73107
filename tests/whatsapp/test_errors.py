import pytest

from apps.conversations.channels import Remedy
from apps.meta.graph import GraphError
from apps.whatsapp import errors

DOCUMENTED = {
    Remedy.RETRY: [1, 2, 131000, 131016, 131053, 131056, 131057, 133004],
    Remedy.THROTTLE: [4, 80007, 130429, 133016],
    Remedy.PAUSE: [0, 3, 10, 190, 200, 299, 368, 131031, 131037, 131042, 131045, 131048, 133010],
    Remedy.FAIL: [
        *(33, 100, 131008, 131009, 131051, 131055, 135000),
        *(131021, 131026, 131030, 131047, 131049, 131050, 130472, 131052, 130497),
        *(132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068, 132069),
        *(131059, 131062, 131063, 131064, 137000, 138000, 139000, 131200, 134100, 999999),
    ],
}


@pytest.mark.parametrize(("remedy", "code"), [(remedy, code) for remedy, codes in DOCUMENTED.items() for code in codes])
@pytest.mark.parametrize("http_status", [400, 403, 429, 500, 503])
def test_code_decides_whatever_the_http_status(remedy: Remedy, code: int, http_status: int) -> None:
    error = GraphError(title="No", code=code, http_status=http_status)

    assert errors.remedy(error) == remedy


@pytest.mark.parametrize(
    ("http_status", "remedy"), [(500, Remedy.RETRY), (503, Remedy.RETRY), (429, Remedy.THROTTLE), (404, Remedy.FAIL)]
)
def test_http_status_decides_only_where_there_is_no_code(http_status: int, remedy: Remedy) -> None:
    sent = errors.as_send_error(GraphError(title="Upstream", http_status=http_status))

    assert (sent.remedy, sent.code) == (remedy, f"http_{http_status}")


def test_lost_answer_is_unknown() -> None:
    sent = errors.as_send_error(GraphError(title="Graph did not answer in time.", sent=None))

    assert (sent.remedy, sent.code, sent.retryable) == (Remedy.UNKNOWN, "no_answer", False)


def test_request_that_never_left_is_sent_again() -> None:
    sent = errors.as_send_error(GraphError(title="Graph could not be reached.", sent=False))

    assert (sent.remedy, sent.code, sent.retryable) == (Remedy.RETRY, "no_answer", True)


def test_operator_is_given_metas_words() -> None:
    sent = errors.as_send_error(
        GraphError(title="(#131047) Re-engagement message", details="More than 24 hours have passed", code=131047)
    )

    assert (sent.code, sent.title, sent.details) == (
        "131047",
        "(#131047) Re-engagement message",
        "More than 24 hours have passed",
    )
