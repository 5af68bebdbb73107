from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.conversations.models import ChannelAccount
from apps.core import encryption
from apps.organizations.models import Organization

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def keys(settings: Settings) -> Iterator[Settings]:
    """The settings, whose ENCRYPTION_KEYS a test changes: `encryption._box.cache_clear()` makes them count."""
    yield settings
    settings._finalize()
    encryption._box.cache_clear()


@given(TEXT)
def test_what_is_encrypted_is_not_readable_and_comes_back_whole(text: str) -> None:
    token = encryption.encrypt(text)
    assert token != text
    assert token.isascii()
    assert encryption.decrypt(token) == text


def test_the_same_text_is_encrypted_differently_each_time() -> None:
    assert encryption.encrypt("secret") != encryption.encrypt("secret")


def test_a_rotated_key_still_reads_and_the_new_one_writes(keys: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    keys.ENCRYPTION_KEYS = [old]
    encryption._box.cache_clear()
    token = encryption.encrypt("secret")
    keys.ENCRYPTION_KEYS = [new, old]
    encryption._box.cache_clear()
    assert encryption.decrypt(token) == "secret"
    assert Fernet(new).decrypt(encryption.encrypt("secret").encode()) == b"secret"


def test_a_removed_key_is_said_in_words(keys: Settings) -> None:
    token = encryption.encrypt("secret")
    keys.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    encryption._box.cache_clear()
    with pytest.raises(ValueError, match="fits none of ENCRYPTION_KEYS"):
        encryption.decrypt(token)


@given(TEXT)
def test_a_fingerprint_is_the_same_for_the_same_secret_and_does_not_hold_it(secret: str) -> None:
    digest = encryption.fingerprint(secret)
    assert digest == encryption.fingerprint(secret)
    assert len(digest) == 64
    assert digest != encryption.fingerprint(secret + "x")


def test_a_fingerprint_outlives_the_encryption_keys(keys: Settings) -> None:
    before = encryption.fingerprint("secret")
    keys.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    encryption._box.cache_clear()
    assert encryption.fingerprint("secret") == before


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", ""), ("short", "••••"), ("elevenchars", "••••"), ("twelve-chars", "••••hars"), ("EAAG" * 30, "••••EAAG")],
)
def test_a_mask_shows_the_end_of_long_secrets_only(secret: str, shown: str) -> None:
    assert encryption.mask(secret) == shown


def test_an_encrypted_field_is_plain_in_python_and_not_in_the_database(organization: Organization) -> None:
    account = ChannelAccount.objects.create(organization=organization, channel="whatsapp", access_token="segredo")
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, app_secret FROM conversations_channelaccount WHERE id = %s", [account.pk])
        stored, empty = cursor.fetchone()
    assert "segredo" not in stored
    assert encryption.decrypt(stored) == "segredo"
    assert empty == ""
    account.refresh_from_db()
    assert account.access_token == "segredo"
    assert account.app_secret == ""


@pytest.mark.parametrize("lookup", ["", "__in", "__contains", "__gt"])
def test_an_encrypted_field_cannot_be_looked_up(lookup: str) -> None:
    with pytest.raises(TypeError, match="use its fingerprint"):
        ChannelAccount.objects.filter(**{f"access_token{lookup}": ["x"]})
