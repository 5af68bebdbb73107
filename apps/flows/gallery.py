"""Ready flows to begin with, in Portuguese, English and Spanish: one file each in `gallery/`."""

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.errors import NotFound
from apps.flows import services
from apps.flows.models import Chatbot, Flow
from apps.organizations.models import User

_FILES = Path(__file__).parent / "gallery"


@dataclass(frozen=True)
class FlowTemplate:
    """A flow that somebody may begin with."""

    id: str
    name: str
    description: str
    language: str
    needs: tuple[str, ...]
    """What is to be filled in before customers meet it."""
    variables: Mapping[str, Any]
    canvas_data: Mapping[str, Any]

    @property
    def node_count(self) -> int:
        return len(self.canvas_data["nodes"])


def find(language: str = "") -> list[FlowTemplate]:
    """The templates in a language, whatever its country; all of them if none is asked for."""
    wanted = language.lower().replace("_", "-").split("-")[0]
    return [one for one in _templates().values() if wanted in ("", one.language.split("-")[0])]


def get(template_id: str) -> FlowTemplate:
    """One of them; NotFound if there is none."""
    try:
        return _templates()[template_id]
    except KeyError:
        raise NotFound("There is no such template.") from None


def create_flow(*, chatbot: Chatbot, template_id: str, name: str = "", by: User | None = None) -> Flow:
    """A flow of the chatbot that begins as the template."""
    template = get(template_id)
    return services.create_flow(
        chatbot=chatbot,
        by=by,
        name=name or template.name,
        description=template.description,
        canvas_data=copy.deepcopy(template.canvas_data),
        variables=copy.deepcopy(template.variables),
    )


@functools.cache
def _templates() -> dict[str, FlowTemplate]:
    return {template.id: template for template in map(_read, sorted(_FILES.glob("*.json")))}


def _read(path: Path) -> FlowTemplate:
    document = json.loads(path.read_text())
    flow = document["flow_data"]
    return FlowTemplate(
        id=document["id"],
        name=document["name"],
        description=document["description"],
        language=document["language"],
        needs=tuple(document["needs"]),
        variables=flow["variables"],
        canvas_data=flow["canvas_data"],
    )
