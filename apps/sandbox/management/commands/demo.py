"""`manage.py demo`: a bakery with two people, a number on the sandbox, a chatbot that asks for the name."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.core import encryption
from apps.core.errors import DomainError
from apps.flows import services as flows
from apps.flows.models import Flow
from apps.organizations.models import Organization, Role, User
from apps.sandbox.settings import DEFAULT_NUMBER
from apps.whatsapp import services as whatsapp
from apps.whatsapp.models import WhatsAppAccount

PEOPLE = [
    ("demo@recado.example", "Sol Nascimento", Role.ORG_ADMIN),
    ("agent@recado.example", "Bia Campos", Role.AGENT),
]
CHATBOT = "Recepção"
CANVAS = {
    "nodes": [
        {"id": "start", "type": "start", "position": {"x": 0, "y": 0}, "data": {}},
        {
            "id": "name",
            "type": "question",
            "position": {"x": 260, "y": 0},
            "data": {"content": "Oi! Aqui é a Padaria Sol. Qual é o seu nome?", "variableName": "nome"},
        },
        {
            "id": "greeting",
            "type": "message",
            "position": {"x": 520, "y": 0},
            "data": {"content": "Muito prazer, {{nome}}! Em que podemos ajudar?"},
        },
        {"id": "end", "type": "end", "position": {"x": 780, "y": 0}, "data": {}},
    ],
    "edges": [
        {"id": "start-name", "source": "start", "target": "name"},
        {"id": "name-greeting", "source": "name", "target": "greeting"},
        {"id": "greeting-end", "source": "greeting", "target": "end"},
    ],
}


class Command(BaseCommand):
    """Make what is missing of the demo, leave the rest as people have changed it, and say how to sign in."""

    help = "Load the demo data, and print the demo sign-in."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Load and print."""
        organization, _ = Organization.objects.get_or_create(slug="padaria-sol", defaults={"name": "Padaria Sol"})
        password = encryption.fingerprint("the demo's password")[:12]  # this installation's own, and always the same
        for email, full_name, role in PEOPLE:
            if not User.objects.filter(email=email).exists():
                User.objects.create_user(email, password, organization=organization, full_name=full_name, role=role)
        try:
            _open(organization)
        except DomainError as error:
            raise CommandError(error.message) from error
        for email, _, role in PEOPLE:
            self.stdout.write(f"sign-in          {email} / {password}  ({role.value})")


def _open(organization: Organization) -> None:
    """The number with its chatbot. Once the number is there, nothing about it or its chatbot is changed."""
    if WhatsAppAccount.objects.present().filter(phone_number_id=DEFAULT_NUMBER.phone_number_id).exists():
        return
    number = whatsapp.create_number(
        organization=organization,
        name=organization.name,
        phone_number=f"+{DEFAULT_NUMBER.digits}",
        phone_number_id=DEFAULT_NUMBER.phone_number_id,
        whatsapp_business_account_id=DEFAULT_NUMBER.waba_id,
        access_token="the-sandbox-takes-any-token",
        verify_token=settings.META_VERIFY_TOKEN,
    )
    chatbot = flows.create_chatbot(organization=organization, name=CHATBOT, description="Asks who is writing.")
    main = Flow.objects.present().get(chatbot=chatbot, is_main=True)
    flows.update_flow(flow=main, canvas_data=CANVAS)
    flows.activate_chatbot(chatbot=chatbot)
    flows.choose_default_chatbot(account=number, chatbot=chatbot)
