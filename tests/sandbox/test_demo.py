"""The demo data: what `make run` shows to a newcomer."""

import io
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import Settings

from apps.flows.models import Chatbot, ChatbotAccount
from apps.organizations.models import Organization, Role, User
from apps.whatsapp.models import WhatsAppAccount
from tests.support.line import Line, Served
from tests.support.meta import SandboxServer


@pytest.fixture
def line(transactional_db: None, meta: SandboxServer, settings: Settings) -> Iterator[Line]:
    """The whole line, with nothing on it but the demo data."""
    settings.META_GRAPH_URL = meta.graph_url
    load()
    served = Served()
    meta.configure(webhook_url=f"{served.url}/api/v1/whatsapp/webhook")
    yield Line(served.url, meta)
    served.stop()


def load() -> str:
    out = io.StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def test_printed_password_signs_both_people_in(db: None) -> None:
    lines = load().splitlines()
    people = {}
    for text in lines:
        _, email, _, password, role = text.split()
        people[email] = role
        user = User.objects.get(email=email)
        assert user.check_password(password)
        assert f"({user.role})" == role
        assert user.organization.name == "Padaria Sol"
    assert people == {"demo@recado.example": f"({Role.ORG_ADMIN})", "agent@recado.example": f"({Role.AGENT})"}


def test_loading_it_again_changes_nothing(db: None) -> None:
    first = load()
    number, chatbot = WhatsAppAccount.objects.get(), Chatbot.objects.get()
    Chatbot.objects.update(name="Outro nome")

    assert load() == first
    assert WhatsAppAccount.objects.get().updated_at == number.updated_at
    assert list(Chatbot.objects.values_list("pk", "name")) == [(chatbot.pk, "Outro nome")]
    assert list(ChatbotAccount.objects.values_list("account_id", "chatbot_id")) == [(number.pk, chatbot.pk)]
    assert (Organization.objects.count(), User.objects.count()) == (1, 2)


def test_demo_chatbot_asks_for_the_name_and_greets_with_it(line: Line) -> None:
    line.says("Oi")
    line.says("Ana")
    assert line.meta.texts() == [
        "Oi! Aqui é a Padaria Sol. Qual é o seu nome?",
        "Muito prazer, Ana! Em que podemos ajudar?",
    ]
