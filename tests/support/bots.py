"""Chatbots for tests, made as their authors would make them."""

from typing import Any

from apps.conversations.models import ChannelAccount
from apps.flows import services
from apps.flows.models import Chatbot


def make_chatbot(account: ChannelAccount, *nodes: tuple[str, dict[str, Any]], is_active: bool = True) -> Chatbot:
    """A chatbot that answers for the account; its main flow is a straight line through (type, data) nodes."""
    chatbot = services.create_chatbot(organization=account.organization, name="Atendente")
    every = [("start", {}), *nodes]
    canvas = {
        "nodes": [{"id": f"n{place}", "type": type, "data": data} for place, (type, data) in enumerate(every)],
        "edges": [{"source": f"n{place}", "target": f"n{place + 1}"} for place in range(len(every) - 1)],
    }
    services.update_flow(flow=chatbot.flows.get(is_main=True), canvas_data=canvas)
    if is_active:
        services.activate_chatbot(chatbot=chatbot)
    services.choose_default_chatbot(account=account, chatbot=chatbot)
    chatbot.refresh_from_db()
    return chatbot


ASKS_THE_NAME: tuple[tuple[str, dict[str, Any]], ...] = (
    ("question", {"content": "Qual seu nome?", "variableName": "nome"}),
    ("message", {"content": "Olá {{nome}}"}),
    ("end", {}),
)
