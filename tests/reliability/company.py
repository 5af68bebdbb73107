"""The company that the customers write to; made in the killed Recado's own database, by `manage.py shell`."""

from apps.flows import services
from apps.organizations.models import Organization
from apps.sandbox.settings import DEFAULT_NUMBER
from tests.support.line import make_number


def make() -> None:
    """A number whose chatbot greets with "eco:" and then repeats whatever it is told."""
    organization = Organization.objects.create(name="Padaria Sol", slug="padaria-sol")
    number = make_number(
        organization, DEFAULT_NUMBER.phone_number_id, waba=DEFAULT_NUMBER.waba_id, messages_per_second=1000
    )
    chatbot = services.create_chatbot(organization=organization, name="Eco")
    canvas = {
        "nodes": [
            {"id": "start", "type": "start", "data": {}},
            {"id": "echo", "type": "question", "data": {"content": "eco: {{said}}", "variableName": "said"}},
        ],
        "edges": [{"source": "start", "target": "echo"}, {"source": "echo", "target": "echo"}],
    }
    services.update_flow(flow=chatbot.flows.get(is_main=True), canvas_data=canvas)
    services.activate_chatbot(chatbot=chatbot)
    services.choose_default_chatbot(account=number, chatbot=chatbot)
