"""Secrets at rest: encrypted with rotatable keys, found by a keyed fingerprint, never shown."""

import functools
import hmac
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


@functools.cache
def _box() -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in settings.ENCRYPTION_KEYS])


def fingerprint(secret: str) -> str:
    """HMAC-SHA256 of a secret, 64 hex digits: equal secrets are found by it, and nothing is learnt from it.

    Keyed by SECRET_KEY, not by the encryption keys, so that rotating those leaves look-ups intact.
    """
    return hmac.digest(settings.SECRET_KEY.encode(), secret.encode(), "sha256").hex()


def mask(secret: str) -> str:
    """What may be shown of a secret: its last four characters, if it is long enough to keep the rest."""
    if not secret:
        return ""
    return f"••••{secret[-4:]}" if len(secret) >= 12 else "••••"


def encrypt(text: str) -> str:
    """Encrypt with the first of ENCRYPTION_KEYS."""
    return _box().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt with whichever of ENCRYPTION_KEYS fits; ValueError if none does."""
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ValueError("A stored secret fits none of ENCRYPTION_KEYS: was a key removed before rotation?") from None


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the database and plain in Python; it can be neither filtered nor sorted."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(str(value)) if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse every look-up but isnull: encrypted text never equals anything."""
        if lookup_name != "isnull":
            raise TypeError(f"An encrypted field cannot be looked up by {lookup_name!r}; use its fingerprint.")
        return super().get_lookup(lookup_name)
