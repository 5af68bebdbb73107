"""Letters, to a mail server that listens."""

import email
import email.policy
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.flows.calling import email as letters
from apps.flows.calls import Email, Result
from tests.support import mail
from tests.support.mail import Mailbox

LETTER = Email(
    to=("ana@example.com", "bia@example.com"), subject="Orçamento nº 5", text="Olá, Ana!\nSegue o orçamento."
)


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    with mail.serving() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        settings.DEFAULT_FROM_EMAIL = "Padaria Sol <sol@example.com>"
        yield mailbox


def test_letter_reaches_its_recipients(mailbox: Mailbox) -> None:
    assert letters.perform(LETTER) == Result(ok=True)

    [letter] = [email.message_from_bytes(raw, policy=email.policy.default) for raw in mailbox.letters]
    assert mailbox.recipients == [["ana@example.com", "bia@example.com"]]
    assert (letter["From"], letter["To"]) == ("Padaria Sol <sol@example.com>", "ana@example.com, bia@example.com")
    assert (letter["Subject"], letter.get_content_type()) == ("Orçamento nº 5", "text/plain")
    assert letter.get_content() == "Olá, Ana!\r\nSegue o orçamento.\r\n"


@pytest.mark.parametrize(
    ("to", "subject", "error"),
    [
        ((), "x", "A letter goes to between 1 and 10 recipients, not to 0."),
        (("a@example.com",) * 11, "x", "A letter goes to between 1 and 10 recipients, not to 11."),
        (("ana",), "x", "'ana' is no e-mail address."),
        (("a@example.com, b@example.com",), "x", "'a@example.com, b@example.com' is no e-mail address."),
        (("a@example.com\nBcc: b@example.com",), "x", "'a@example.com\\nBcc: b@example.com' is no e-mail address."),
        (("a@example.com",), "x\r\nBcc: b@example.com", "The subject of a letter has one line."),
        (("a@example.com",), "x\n", "The subject of a letter has one line."),
        (("a@example.com",), "x\u2028Bcc: b@example.com", "The subject of a letter has one line."),
    ],
)
def test_letter_with_a_wrong_head_is_not_sent(mailbox: Mailbox, to: tuple[str, ...], subject: str, error: str) -> None:
    assert letters.perform(Email(to=to, subject=subject, text="Olá")) == Result(ok=False, error=error)
    assert mailbox.letters == []


@pytest.mark.parametrize("to", [("a@example.com",), ("a@example.com",) * 10])
def test_one_to_ten_recipients_are_fine_and_a_subject_may_be_empty(mailbox: Mailbox, to: tuple[str, ...]) -> None:
    assert letters.perform(Email(to=to, subject="", text="")) == Result(ok=True)
    assert mailbox.recipients == [list(to)]


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        ({"RCPT TO:": "550 nobody"}, "The mail server refuses ana@example.com, bia@example.com."),
        ({"MAIL FROM:": "451 10.0.0.5 is busy"}, "The mail server refused the letter with the code 451."),
        ({"DATA": "554 no"}, "The mail server refused the letter with the code 554."),
    ],
)
def test_refusal_of_the_mail_server_is_told_without_its_words(
    mailbox: Mailbox, refused: dict[str, str], error: str
) -> None:
    mailbox.refused.update(refused)

    assert letters.perform(LETTER) == Result(ok=False, error=error)


def test_mail_server_that_is_away_is_told(mailbox: Mailbox, settings: Settings) -> None:
    settings.EMAIL_PORT = 1

    assert letters.perform(LETTER) == Result(ok=False, error="The mail server cannot be reached, or broke off.")


@pytest.mark.parametrize("backend", ["console", "dummy"])
def test_without_a_mail_server_no_letter_is_said_to_be_sent(settings: Settings, backend: str) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"

    assert letters.perform(LETTER) == Result(
        ok=False, error="No letter can be sent: no mail server is configured (EMAIL_URL)."
    )
