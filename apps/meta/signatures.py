"""The signatures on webhooks: was this body sent by one who knows the application's secret?

Source: Meta, "Webhooks for Messenger Platform: Validate Payloads", May 2026. The page says that the signature is made
over the escaped-unicode form of the body; other pages and all samples hash the bytes as they are. Both are accepted.
"""

import hmac
import re

HEADER = "X-Hub-Signature-256"
_FORM = re.compile(r"sha256=[0-9a-f]{64}")


def sign(body: bytes, secret: str) -> str:
    """The value of X-Hub-Signature-256 for these bytes."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def matches(body: bytes, header: str, secret: str) -> bool:
    """Whether the header signs the body with the secret: over its raw bytes, else over its escaped-unicode form.

    An empty secret matches nothing, and neither does the older sha1 header.
    """
    if not secret or not _FORM.fullmatch(header):
        return False
    if hmac.compare_digest(sign(body, secret), header):
        return True
    escaped = escape(body)
    return escaped is not None and hmac.compare_digest(sign(escaped, secret), header)


def escape(body: bytes) -> bytes | None:
    r"""The body with every non-ASCII UTF-16 unit as \uxxxx in lower case; None where that changes nothing."""
    if body.isascii():
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return _NON_ASCII.sub(_units, text).encode("ascii")


_NON_ASCII = re.compile(r"[^\x00-\x7f]+")


def _units(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
