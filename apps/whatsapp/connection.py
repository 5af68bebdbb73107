"""Does a number's token work, and is the number its owner's? Meta is asked; nothing else depends on the answer."""

from dataclasses import dataclass
from typing import Any

from apps.meta import graph
from apps.meta.graph import GraphError
from apps.whatsapp import values
from apps.whatsapp.models import WhatsAppAccount

INCOMPLETE = "The phone number id or the access token is missing."
_FIELDS = "id,quality_rating,throughput"


@dataclass(frozen=True)
class Seen:
    """What Meta says of a number whose token could read it."""

    quality_rating: str
    throughput_level: str
    owns_waba: bool
    """Whether the token reads the business account too, which the number claims to belong to."""


def look(account: WhatsAppAccount) -> Seen:
    """Read the number at Graph with its own token; GraphError if that fails."""
    if not account.phone_number_id or not account.access_token:
        raise GraphError(title=INCOMPLETE, sent=False)
    number = _read(account, account.phone_number_id, _FIELDS)
    return Seen(
        quality_rating=values.text(number.get("quality_rating"))[:20],
        throughput_level=values.text(values.mapping(number.get("throughput")).get("level"))[:20],
        owns_waba=_owns_waba(account),
    )


def _owns_waba(account: WhatsAppAccount) -> bool:
    if not account.whatsapp_business_account_id:
        return False
    try:
        _read(account, account.whatsapp_business_account_id, "id")
    except GraphError:
        return False
    return True


def _read(account: WhatsAppAccount, node: str, fields: str) -> dict[str, Any]:
    answer = graph.get(node, token=account.access_token, params={"fields": fields})
    if values.text(answer.get("id")) != node:
        raise GraphError(title=f"Graph answered for another id than {node}.")
    return answer
