"""A company on the measured system, made over its API: a fast number, and a chatbot that repeats what it hears."""

import itertools
from collections.abc import Mapping
from typing import Any

import requests

from apps.sandbox.settings import DEFAULT_NUMBER
from bench.system import System

MESSAGES_PER_SECOND = 1000
ECHO = "Eco: "
CANVAS: dict[str, Any] = {
    "nodes": [
        {"id": "start", "type": "start", "data": {}},
        {"id": "echo", "type": "question", "data": {"content": ECHO + "{{texto}}", "variableName": "texto"}},
    ],
    "edges": [{"source": "start", "target": "echo"}, {"source": "echo", "target": "echo"}],
}


def long_canvas(nodes: int) -> dict[str, Any]:
    """The same, by way of so many nodes a turn."""
    between = [
        {"id": f"n{place}", "type": "set_variable", "data": {"variableName": f"v{place}", "variableValue": "{{texto}}"}}
        for place in range(nodes - 1)
    ]
    ids = ["echo", *(node["id"] for node in between), "echo"]
    edges = [{"source": source, "target": target} for source, target in itertools.pairwise(ids)]
    return {"nodes": [*CANVAS["nodes"], *between], "edges": [CANVAS["edges"][0], *edges]}


def open_for_business(system: System, canvas: Mapping[str, Any] = CANVAS) -> None:
    """Make the company, and tell the sandbox to set no limits of its own."""
    api = _Api(f"http://127.0.0.1:{system.port}/api/v1")
    api.register()
    chatbot = api.call("POST", "chatbots", {"name": "Eco"})
    [flow] = api.call("GET", f"flows?chatbot_id={chatbot['id']}")["items"]
    api.call("PATCH", f"flows/{flow['id']}", {"canvas_data": canvas})
    api.call("POST", f"chatbots/{chatbot['id']}/activate")
    api.call(
        "POST",
        "whatsapp",
        {
            "display_name": "Banco de provas",
            "phone_number": f"+{DEFAULT_NUMBER.digits}",
            "phone_number_id": DEFAULT_NUMBER.phone_number_id,
            "whatsapp_business_account_id": DEFAULT_NUMBER.waba_id,
            "access_token": "any",
            "messages_per_second": MESSAGES_PER_SECOND,
            "default_chatbot_id": chatbot["id"],
        },
    )
    number = {
        "phone_number_id": DEFAULT_NUMBER.phone_number_id,
        "waba_id": DEFAULT_NUMBER.waba_id,
        "display_phone_number": DEFAULT_NUMBER.display_phone_number,
        "throughput": 0,
    }
    limits = {"numbers": [number], "is_pair_limited": False, "window": "open"}
    requests.put(f"http://127.0.0.1:{system.sandbox_port}/api/settings", json=limits, timeout=10).raise_for_status()


class _Api:
    """Recado's API, signed in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def register(self) -> None:
        person = {
            "email": "bench@recado.example",
            "password": "A pass phrase of 4 words",
            "full_name": "Bench",
            "organization_name": "Bench",
        }
        token = self.call("POST", "auth/register", person)["token"]["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        response = self._session.request(method, f"{self._url}/{path}", json=body, timeout=30)
        if not response.ok:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None
