"""`manage.py sandbox say`: a customer in the terminal."""

import io
import threading
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.sandbox.management.commands.sandbox import words
from tests.support.business import CUSTOMER, Business

BUTTONS = {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Sim"}}]}
ROWS = {"button": "Ver", "sections": [{"rows": [{"id": "1", "title": "Pão"}, {"id": "2", "title": "Sonho"}]}]}


def say(business: Business, *options: str) -> str:
    output = io.StringIO()
    call_command("sandbox", "say", "Bom dia", "--url", business.meta.url, "--wait", "0.3", *options, stdout=output)
    return output.getvalue()


def test_replies_are_printed_as_they_come(business: Business) -> None:
    def reply() -> None:
        business.send({"text": {"body": "Olá!"}})
        business.send({"text": {"body": "Como você se chama?"}})

    business.on_message = lambda: threading.Thread(target=reply).start()
    assert say(business, "--from", CUSTOMER, "--name", "Ana") == "Olá!\nComo você se chama?\n"
    [message] = business.items("messages")
    assert (message["from"], message["text"]["body"]) == (CUSTOMER, "Bom dia")


def test_silence_prints_nothing(business: Business) -> None:
    assert say(business) == ""
    assert len(business.items("messages")) == 1


def test_refused_webhook_is_an_error(business: Business) -> None:
    business.answers = [403]
    with pytest.raises(CommandError, match="not taken: HTTP 403"):
        say(business)


def test_unknown_number_is_an_error(business: Business) -> None:
    with pytest.raises(CommandError, match="There is no such number"):
        say(business, "--to", "999")


def test_absent_sandbox_is_an_error() -> None:
    with pytest.raises(CommandError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        call_command("sandbox", "say", "Oi", "--url", "http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ({"text": {"body": "Oi"}}, "Oi"),
        (
            {"type": "interactive", "interactive": {"type": "button", "body": {"text": "Certo?"}, "action": BUTTONS}},
            "Certo?\n  [Sim]",
        ),
        (
            {"type": "interactive", "interactive": {"type": "list", "body": {"text": "Qual?"}, "action": ROWS}},
            "Qual?\n  [Pão]\n  [Sonho]",
        ),
        ({"type": "template", "template": {"name": "aviso"}}, "[template aviso]"),
        ({"type": "image", "image": {"link": "https://example.org", "caption": "Veja"}}, "[image] Veja"),
        ({"type": "contacts", "contacts": [{}]}, "[contacts]"),
    ],
    ids=["text", "buttons", "list", "template", "image", "contacts"],
)
def test_each_kind_of_message_has_words(message: dict[str, Any], lines: str) -> None:
    assert words(message) == lines
