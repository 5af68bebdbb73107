"""Chatbots with flows, for tests."""

from typing import Any

from apps.conversations.models import ChannelAccount
from apps.flows import services
from apps.flows.models import Chatbot, Flow
from apps.organizations.models import Organization
from tests.flows.canvases import draw, node

GREETING = draw(
    node("start"),
    node("question", content="Qual seu nome?", variableName="nome"),
    node("message", content="Olá {{nome}}!"),
    node("end"),
)


def make_chatbot(
    organization: Organization,
    *,
    canvas: dict[str, Any] | None = None,
    account: ChannelAccount | None = None,
    is_active: bool = True,
    **fields: Any,
) -> Chatbot:
    """A chatbot whose main flow asks for a name, or is of the canvas; the account's default, if one is given."""
    chatbot = services.create_chatbot(organization=organization, **{"name": "Atendente", **fields})
    services.update_flow(flow=main_flow(chatbot), canvas_data=GREETING if canvas is None else canvas)
    if account:
        services.choose_default_chatbot(account=account, chatbot=chatbot)
    return services.activate_chatbot(chatbot=chatbot) if is_active else chatbot


def main_flow(chatbot: Chatbot) -> Flow:
    """Its main flow as it is now."""
    flow: Flow = Flow.objects.present().get(chatbot=chatbot, is_main=True)
    return flow
