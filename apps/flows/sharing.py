"""Flows that travel: exported, imported, and copied, with every key of their canvases."""

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core.errors import DomainError
from apps.flows import services
from apps.flows.models import Chatbot, Flow
from apps.organizations.models import User

FORMAT = "1.0"
MAX_NAME = 255
_KEPT = ("description", "canvas_data", "variables", "settings")
_OWN = ("triggers", "inactivity_settings", "window_expiry_settings")
"""What other systems do not export: kept if it is there."""


class UnsupportedFormat(DomainError):
    """What is to be imported is no export of a flow."""

    code = "unsupported_format"


def export(flow: Flow) -> dict[str, Any]:
    """A flow's draft in the format 1.0, with which PyTake's builders exchange flows."""
    canvas = flow.canvas_data
    return {
        "format_version": FORMAT,
        "exported_at": timezone.now().isoformat(),
        "flow": {
            "name": flow.name,
            "is_main": flow.is_main,
            **{name: getattr(flow, name) for name in (*_KEPT, *_OWN)},
        },
        "metadata": {
            "organization_id": str(flow.organization_id),
            "chatbot_id": str(flow.chatbot_id),
            "original_flow_id": str(flow.pk),
            "total_nodes": len(canvas.get("nodes") or ()),
            "total_edges": len(canvas.get("edges") or ()),
        },
    }


def read(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the flow in an export, as they came; UnsupportedFormat if it is none."""
    if document.get("format_version") != FORMAT:
        raise UnsupportedFormat(f"Only exports of the format {FORMAT} can be imported.")
    flow = document.get("flow")
    if not isinstance(flow, dict) or not isinstance(flow.get("canvas_data"), dict):
        raise UnsupportedFormat("There is no flow with a canvas in this export.")
    return {"name": flow.get("name"), **{name: flow[name] for name in (*_KEPT, *_OWN) if flow.get(name) is not None}}


@transaction.atomic
def duplicate_flow(*, flow: Flow, by: User) -> Flow:
    """A copy beside the flow, which is neither main nor fallback."""
    fields = {name: copy.deepcopy(getattr(flow, name)) for name in (*_KEPT, *_OWN)}
    return services.create_flow(chatbot=flow.chatbot, by=by, name=_suffixed(flow.name, " (copy)"), **fields)


@transaction.atomic
def duplicate_chatbot(*, chatbot: Chatbot, by: User) -> Chatbot:
    """A copy with all flows, whose jumps lead into the copies. It is not active, and answers nowhere."""
    twin, _ = copy_chatbot(chatbot=chatbot, by=by, suffix=" (copy)")
    return twin


@transaction.atomic
def copy_chatbot(*, chatbot: Chatbot, by: User, suffix: str, **changed: Any) -> tuple[Chatbot, dict[uuid.UUID, Flow]]:
    """A copy with some fields changed, and its flows by the ids of those that they copy."""
    fields = ("description", "avatar_url", "global_variables", "settings", "publish_on_save", "after_end", "keywords")
    same = {name: copy.deepcopy(getattr(chatbot, name)) for name in fields}
    twin = services.create_chatbot(
        organization=chatbot.organization, name=_suffixed(chatbot.name, suffix), **{**same, **changed}
    )
    Flow.objects.filter(chatbot=twin).delete()  # the empty one with which every chatbot is made
    flows = list(Flow.objects.present().filter(chatbot=chatbot).order_by("created_at", "pk"))
    twins = {
        flow.pk: services.create_flow(
            chatbot=twin, name=flow.name, is_main=flow.is_main, is_fallback=flow.is_fallback, is_active=flow.is_active
        )
        for flow in flows
    }
    ids = {str(old): str(new.pk) for old, new in twins.items()}
    for flow in flows:
        drawn = {name: _renamed(getattr(flow, name), ids) for name in (*_KEPT, *_OWN)}
        twins[flow.pk] = services.update_flow(flow=twins[flow.pk], by=by, **drawn)
    return services.update_chatbot(chatbot=twin, keywords=_renamed(chatbot.keywords, ids)), twins


def _renamed(value: Any, ids: Mapping[str, str]) -> Any:
    """The value with every text that is one of the ids replaced."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, dict):
        return {key: _renamed(inner, ids) for key, inner in value.items()}
    return [_renamed(inner, ids) for inner in value] if isinstance(value, list) else value


def _suffixed(name: str, suffix: str) -> str:
    return f"{name[: MAX_NAME - len(suffix)]}{suffix}"
