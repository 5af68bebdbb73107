"""What flows learn about contacts and say by templates, over the real turn."""

import pytest

from apps.contacts.models import Contact
from apps.conversations.models import Conversation, Message
from apps.flows import profile
from apps.organizations.models import Organization
from tests.flows.canvases import draw, node
from tests.flows.factories import make_chatbot
from tests.flows.test_responder import hear
from tests.support import inbox


@pytest.fixture
def contact(organization: Organization) -> Contact:
    return inbox.make_contact(organization, name="Maria", attributes={"origem": "site"})


def test_a_flow_writes_what_it_learns_with_the_turn_and_tags(organization: Organization, contact: Contact) -> None:
    conversation = inbox.make_conversation(organization, contact=contact, tags=["novo"])
    fields = {"name": "nome", "email": "nome@sol.example", "position": "Dona", "idade": "30"}
    canvas = draw(
        node("start"),
        node("question", content="Nome?", variableName="nome"),
        node("action", actionType="save_contact", contactFields=fields),
        node("action", "tag", actionType="add_tag", tagName="cliente"),
        node("action", "untag", actionType="remove_tag", tagName="novo"),
        node("message", content="Obrigado"),
    )
    make_chatbot(organization, canvas=canvas, account=conversation.account)
    hear(conversation, "Oi")
    assert hear(conversation, "Ana Souza") == ["Obrigado"]
    contact.refresh_from_db()
    assert (contact.name, contact.email, contact.job_title) == ("Ana Souza", "nome@sol.example", "Dona")
    assert contact.attributes == {"origem": "site", "idade": "30"}
    assert conversation.tags == ["cliente"]


@pytest.mark.django_db
def test_what_does_not_fit_is_left_as_it_was(contact: Contact) -> None:
    profile.save(
        {contact.pk: {"email": "isso não", "nome": "x" * 300, "Empresa": " Sol ", "": "x", "longo": "y" * 9000}}
    )
    contact.refresh_from_db()
    assert (contact.email, contact.name, contact.company) == ("", "Maria", "Sol")
    assert contact.attributes == {"origem": "site", "longo": "y" * profile.MAX_VALUE}


def test_a_template_is_a_message_of_its_own_type(organization: Organization) -> None:
    conversation: Conversation = inbox.make_conversation(organization)
    canvas = draw(node("start"), node("whatsapp_template", templateName="ola", bodyParams=["{{contact.name}}"]))
    make_chatbot(organization, canvas=canvas, account=conversation.account)
    assert hear(conversation, "Oi") == ["ola"]
    message = Message.objects.get(direction="outbound")
    components = [{"type": "body", "parameters": [{"type": "text", "text": conversation.contact.name}]}]
    assert (message.type, message.content) == (
        "template",
        {"name": "ola", "language": "pt_BR", "components": components},
    )
