"""Ids in the form of Meta's own, made at random."""

import base64
import secrets
from typing import Literal

_MARKS = {"in": (b"\x12", 10), "out": (b"\x11", 9)}


def wamid(party: str, direction: Literal["in", "out"]) -> str:
    """A WhatsApp message id: base64 of a header, the customer's number, the direction and a random hex id.

    Decoded from real ids: `1C 18 <length> <number> 15 02 00 <12 in | 11 out> 18 <length> <hex id> 00`.
    """
    mark, random_bytes = _MARKS[direction]
    address = party.encode()
    unique = secrets.token_hex(random_bytes).upper().encode()
    packed = b"\x1c\x18%c%b\x15\x02\x00%b\x18%c%b\x00" % (len(address), address, mark, len(unique), unique)
    return "wamid." + base64.b64encode(packed).decode()


def object_id() -> str:
    """A Graph object id (a media id, for example): sixteen digits."""
    return str(secrets.randbelow(9 * 10**15) + 10**15)


def trace_id() -> str:
    """The `fbtrace_id` of an error."""
    return "A" + secrets.token_urlsafe(17)[:22]
