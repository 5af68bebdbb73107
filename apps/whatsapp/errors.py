"""What to do about each of Meta's error codes. The code decides, never the HTTP status alone.

Source: Meta, "WhatsApp Cloud API: Error codes", November 2025. Throttling has been seen as 400, 403 and 429.
"""

from apps.conversations.channels import Remedy, SendError
from apps.meta.graph import GraphError

_RETRY = frozenset(
    {
        1,  # unknown
        2,  # service down
        131000,  # something went wrong
        131016,  # service overloaded
        131053,  # media could not be fetched or uploaded
        131056,  # too many messages to this one person
        131057,  # the number is in maintenance, for a minute or so
        133004,  # server down
    }
)
_THROTTLE = frozenset(
    {
        4,  # the application calls too often
        80007,  # the business account calls too often
        130429,  # the number sends too fast
        133016,  # registered and deregistered too often
    }
)
_PAUSE = frozenset(
    {
        0,  # not authenticated
        3,  # no capability
        10,  # no permission
        190,  # token expired or revoked
        368,  # blocked for violating policies
        131031,  # account locked
        131037,  # display name not approved
        131042,  # payment missing
        131045,  # certificate or registration wrong
        131048,  # too much was marked as spam
        133010,  # number not registered
        *range(200, 300),  # permissions
    }
)
# Every other code is about this message or this recipient. So is 130497 (no messages to this person's country):
# were the account paused for it, one foreign customer could silence the number for all.


def remedy(error: GraphError) -> Remedy:
    """What to do about a failed send."""
    if error.sent is None:
        return Remedy.UNKNOWN
    if error.sent is False:
        return Remedy.RETRY
    if error.code is None:
        return _without_code(error.http_status or 0)
    if error.code in _RETRY:
        return Remedy.RETRY
    if error.code in _THROTTLE:
        return Remedy.THROTTLE
    return Remedy.PAUSE if error.code in _PAUSE else Remedy.FAIL


def _without_code(http_status: int) -> Remedy:
    """Something ahead of Graph answered in its place."""
    if http_status == 429:
        return Remedy.THROTTLE
    return Remedy.RETRY if http_status >= 500 else Remedy.FAIL


def as_send_error(error: GraphError) -> SendError:
    """The failed send in the words of the channel contract."""
    code = f"http_{error.http_status}" if error.http_status else "no_answer"
    return SendError(
        remedy(error),
        code=code if error.code is None else str(error.code),
        title=error.title,
        details=error.details,
    )
