"""The limits of interactive messages: buttons, lists, links and forms. Other kinds are left for Meta to judge.

Source: Meta, "Interactive messages", December 2025. Lengths count characters.
"""

from typing import Any

from apps.whatsapp.limits import optional_text, refused, required_text

MAX_BUTTONS = 3
MAX_SECTIONS = 10
MAX_ROWS = 10  # in all sections together
MAX_BODY = {"list": 4096}
MAX_BODY_OTHERWISE = 1024
MAX_HEADER = MAX_FOOTER = 60
MAX_LABEL = 20
MAX_KIND = 40
MAX_ID = 256
MAX_ROW_ID = 200
MAX_ROW_TITLE = MAX_SECTION_TITLE = 24
MAX_ROW_DESCRIPTION = 72
MAX_FLOW_LABEL = 30


def check(interactive: dict[str, Any]) -> None:
    """Raise ContentRefused, with the path of the field, for what Meta would refuse."""
    kind = required_text(interactive, "type", "type", MAX_KIND)
    if "body" in interactive or kind in ("button", "list", "cta_url"):
        body = _object(interactive, "body", "body")
        required_text(body, "text", "body.text", MAX_BODY.get(kind, MAX_BODY_OTHERWISE))
    if interactive.get("footer"):
        required_text(_object(interactive, "footer", "footer"), "text", "footer.text", MAX_FOOTER)
    if interactive.get("header"):
        header = _object(interactive, "header", "header")
        if kind == "list" and header.get("type") != "text":
            raise refused("header.type", "A list's header can only be text.")
        optional_text(header, "text", "header.text", MAX_HEADER)
    action = _object(interactive, "action", "action")
    match kind:
        case "button":
            _check_buttons(action)
        case "list":
            _check_list(action)
        case "cta_url":
            parameters = _object(action, "parameters", "action.parameters")
            required_text(parameters, "display_text", "action.parameters.display_text", MAX_LABEL)
            required_text(parameters, "url", "action.parameters.url", 2000)
        case "flow":
            parameters = _object(action, "parameters", "action.parameters")
            required_text(parameters, "flow_cta", "action.parameters.flow_cta", MAX_FLOW_LABEL)


def _check_buttons(action: dict[str, Any]) -> None:
    buttons = _objects(action, "buttons", "action.buttons", most=MAX_BUTTONS)
    replies = [_object(button, "reply", "action.buttons.reply") for button in buttons]
    ids = [required_text(reply, "id", "action.buttons.reply.id", MAX_ID) for reply in replies]
    titles = [required_text(reply, "title", "action.buttons.reply.title", MAX_LABEL) for reply in replies]
    _distinct(ids, "action.buttons.reply.id")
    _distinct(titles, "action.buttons.reply.title")


def _check_list(action: dict[str, Any]) -> None:
    required_text(action, "button", "action.button", MAX_LABEL)
    sections = _objects(action, "sections", "action.sections", most=MAX_SECTIONS)
    rows = [row for section in sections for row in _objects(section, "rows", "action.sections.rows", most=MAX_ROWS)]
    if len(rows) > MAX_ROWS:
        raise refused("action.sections.rows", f"All sections together may have {MAX_ROWS} rows, not {len(rows)}.")
    for section in sections:
        if len(sections) > 1:
            required_text(section, "title", "action.sections.title", MAX_SECTION_TITLE)
        else:
            optional_text(section, "title", "action.sections.title", MAX_SECTION_TITLE)
    for row in rows:
        required_text(row, "title", "action.sections.rows.title", MAX_ROW_TITLE)
        optional_text(row, "description", "action.sections.rows.description", MAX_ROW_DESCRIPTION)
    _distinct(
        [required_text(row, "id", "action.sections.rows.id", MAX_ROW_ID) for row in rows], "action.sections.rows.id"
    )


def _object(container: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    value = container.get(name)
    if not isinstance(value, dict):
        raise refused(path, "This must be an object.")
    return value


def _objects(container: dict[str, Any], name: str, path: str, *, most: int) -> list[dict[str, Any]]:
    value = container.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise refused(path, "This must be a list of objects.")
    if not 1 <= len(value) <= most:
        raise refused(path, f"There may be 1 to {most} of these, not {len(value)}.")
    return value


def _distinct(values: list[str], path: str) -> None:
    if len(set(values)) < len(values):
        raise refused(path, "Each must be different.")
