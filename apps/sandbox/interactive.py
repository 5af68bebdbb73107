"""Limits of interactive messages: buttons, lists, links, flows, products and the rest."""

from collections.abc import Callable
from typing import Any

from apps.sandbox import checks
from apps.sandbox.errors import GraphError

MAX_BODY = 1024
MAX_LIST_BODY = 4096
MAX_FOOTER = 60
MAX_HEADER = 60
MAX_ROWS = 10
MAX_PRODUCTS = 30


def check(content: dict[str, Any]) -> None:
    """Raise GraphError for an interactive message that Meta refuses."""
    kind = checks.text_in(content, "type")
    check_action = ACTIONS.get(kind)
    if check_action is None:
        raise GraphError(131009, f"Unsupported interactive type '{kind}'")
    if kind == "product":
        if "header" in content:
            raise GraphError(131009, "Header is not allowed for a product message")
        if "body" in content:
            _check_body(content, MAX_BODY)
    else:
        _check_body(content, MAX_LIST_BODY if kind == "list" else MAX_BODY)
    if "footer" in content:
        checks.text_in(checks.object_in(content, "footer"), "text", most=MAX_FOOTER, label="Footer text")
    if "header" in content:
        _check_header(checks.object_in(content, "header"), is_text_only=kind in ("list", "product_list"))
    elif kind == "product_list":
        raise GraphError(131008, "Parameter 'header' is mandatory")
    check_action(checks.object_in(content, "action"))


def _check_body(content: dict[str, Any], most: int) -> None:
    checks.text_in(checks.object_in(content, "body"), "text", most=most, label="Body text")


def _check_header(header: dict[str, Any], *, is_text_only: bool) -> None:
    kind = checks.text_in(header, "type")
    if kind == "text":
        checks.text_in(header, "text", most=MAX_HEADER, label="Header text")
    elif is_text_only or kind not in ("image", "video", "document"):
        raise GraphError(131009, f"Header of type '{kind}' is not allowed")
    else:
        medium = checks.object_in(header, kind)
        if not medium.get("id") and not medium.get("link"):
            raise GraphError(131008, f"Header of type '{kind}' needs an id or a link")


def _check_buttons(action: dict[str, Any]) -> None:
    buttons = checks.objects_in(action, "buttons", least=1, most=3)
    replies = []
    for button in buttons:
        if button.get("type") != "reply":
            raise GraphError(131009, "Button type must be 'reply'")
        replies.append(checks.object_in(button, "reply"))
    checks.unique([checks.text_in(reply, "title", most=20, label="Button title") for reply in replies], "button title")
    checks.unique([checks.text_in(reply, "id", most=256, label="Button id") for reply in replies], "button id")


def _check_list(action: dict[str, Any]) -> None:
    checks.text_in(action, "button", most=20, label="Button label")
    sections = checks.objects_in(action, "sections", least=1, most=10)
    rows = []
    for section in sections:
        if len(sections) > 1:
            checks.text_in(section, "title", most=24, label="Section title")
        checks.optional_text_in(section, "title", most=24, label="Section title")
        rows += checks.objects_in(section, "rows", least=1, most=MAX_ROWS)
    if len(rows) > MAX_ROWS:
        raise GraphError(131009, f"Total row count exceeded max allowed count: {MAX_ROWS}")
    for row in rows:
        checks.text_in(row, "title", most=24, label="Row title")
        checks.optional_text_in(row, "description", most=72, label="Row description")
    checks.unique([checks.text_in(row, "id", most=200, label="Row id") for row in rows], "row id")


def _named(name: str, check_parameters: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A check of an action with this name and parameters."""

    def check_action(action: dict[str, Any]) -> None:
        if checks.text_in(action, "name") != name:
            raise GraphError(131009, f"Action name must be '{name}'")
        check_parameters(action)

    return check_action


def _check_link(action: dict[str, Any]) -> None:
    parameters = checks.object_in(action, "parameters")
    checks.text_in(parameters, "display_text", most=20, label="Display text")
    url = checks.text_in(parameters, "url", most=2000, label="URL")
    if not url.startswith(("https://", "http://")):
        raise GraphError(131009, "URL must begin with http:// or https://")


def _check_flow(action: dict[str, Any]) -> None:
    parameters = checks.object_in(action, "parameters")
    if checks.text_in(parameters, "flow_message_version") != "3":
        raise GraphError(131009, "Flow message version must be '3'")
    if bool(parameters.get("flow_id")) == bool(parameters.get("flow_name")):
        raise GraphError(131009, "Exactly one of flow_id and flow_name is needed")
    checks.text_in(parameters, "flow_cta", most=30, label="Flow CTA")
    if parameters.get("flow_action", "navigate") not in ("navigate", "data_exchange"):
        raise GraphError(131009, "Flow action must be 'navigate' or 'data_exchange'")


def _check_product(action: dict[str, Any]) -> None:
    checks.text_in(action, "catalog_id")
    checks.text_in(action, "product_retailer_id")


def _check_product_list(action: dict[str, Any]) -> None:
    checks.text_in(action, "catalog_id")
    sections = checks.objects_in(action, "sections", least=1, most=10)
    products = 0
    for section in sections:
        checks.optional_text_in(section, "title", most=24, label="Section title")
        for product in checks.objects_in(section, "product_items", least=1, most=MAX_PRODUCTS):
            checks.text_in(product, "product_retailer_id")
            products += 1
    if products > MAX_PRODUCTS:
        raise GraphError(131009, f"Total product count exceeded max allowed count: {MAX_PRODUCTS}")


def _check_carousel(action: dict[str, Any]) -> None:
    for card in checks.objects_in(action, "cards", least=2, most=10):
        checks.required(card, "card_index")
        checks.object_in(card, "action")


def _check_nothing(_: dict[str, Any]) -> None:
    """The action's name says it all."""


def _check_parameters(action: dict[str, Any]) -> None:
    checks.object_in(action, "parameters")


ACTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "button": _check_buttons,
    "list": _check_list,
    "cta_url": _named("cta_url", _check_link),
    "flow": _named("flow", _check_flow),
    "product": _check_product,
    "product_list": _check_product_list,
    "catalog_message": _named("catalog_message", _check_nothing),
    "carousel": _check_carousel,
    "location_request_message": _named("send_location", _check_nothing),
    "contact_request": _named("request_contact_info", _check_nothing),
    "address_message": _named("address_message", _check_parameters),
    "order_details": _named("review_and_pay", _check_parameters),
    "order_status": _named("review_order", _check_parameters),
    "call_permission_request": _named("call_permission_request", _check_nothing),
}
