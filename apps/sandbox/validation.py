"""What Meta checks of a message before it accepts it."""

from collections.abc import Callable, Container, Sequence
from typing import Any

from apps.sandbox import checks, interactive
from apps.sandbox.errors import GraphError
from apps.sandbox.settings import Template

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_OPAQUE = 512
MEDIA_TYPES = ("image", "video", "audio", "document", "sticker")
CAPTIONED_TYPES = ("image", "video", "document")
BUTTON_SUB_TYPES = ("quick_reply", "url", "copy_code", "flow", "catalog", "mpm", "voice_call", "order_details")


def check(body: dict[str, Any], *, media: Container[str], templates: Sequence[Template] | None) -> str:
    """Raise GraphError for what Meta refuses, and answer the message's type.

    `media` holds the known media ids; `templates` None means that every template is approved.
    """
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, message="(#100) The parameter messaging_product is required.")
    if body.get("recipient_type", "individual") not in ("individual", "group"):
        raise GraphError(100, message="(#100) Param recipient_type must be one of {INDIVIDUAL, GROUP}.")
    if not body.get("to") and not body.get("recipient"):
        raise GraphError(100, message="(#100) The parameter to is required.")
    if len(body.get("biz_opaque_callback_data") or "") > MAX_OPAQUE:
        raise _too_long("biz_opaque_callback_data", MAX_OPAQUE)
    if "context" in body:
        checks.text_in(checks.object_in(body, "context"), "message_id")
    kind: str = body.get("type") or next((name for name in TYPES if name in body), "text")
    if kind not in TYPES:
        raise GraphError(100, message=f"(#100) Param type must be one of {{{', '.join(TYPES).upper()}}}.")
    content: Any = body.get(kind)
    if not content:
        raise GraphError(131008, f"Parameter '{kind}' is mandatory for type '{kind}'")
    has_form = isinstance(content, list) if kind == "contacts" else isinstance(content, dict)
    if not has_form:
        raise GraphError(131009, f"Parameter '{kind}' has the wrong form")
    if kind in MEDIA_TYPES:
        _check_media(kind, content, media)
    elif kind == "template":
        _check_template(content, templates)
    else:
        CHECKS[kind](content)
    return kind


def _too_long(name: str, most: int) -> GraphError:
    return GraphError(100, message=f"(#100) Param {name} must be at most {most} characters long.")


def _check_text(text: dict[str, Any]) -> None:
    body = text.get("body")
    if not isinstance(body, str) or not body.strip():
        raise GraphError(100, message="(#100) The parameter text['body'] is required.")
    if len(body) > MAX_TEXT:
        raise _too_long("text['body']", MAX_TEXT)


def _check_media(kind: str, content: dict[str, Any], media: Container[str]) -> None:
    media_id, link, caption = content.get("id"), content.get("link"), content.get("caption")
    if bool(media_id) == bool(link):
        raise GraphError(
            100, message=f"(#100) Exactly one of the parameters {kind}['id'] and {kind}['link'] is required."
        )
    if media_id and media_id not in media:
        raise GraphError(
            100,
            message=f"(#100) Param {kind}['id'] is not a valid whatsapp business account media attachment ID",
        )
    if link and not str(link).startswith(("https://", "http://")):
        raise GraphError(100, message=f"(#100) Param {kind}['link'] is not a valid URI.")
    if caption is not None:
        if kind not in CAPTIONED_TYPES:
            raise GraphError(100, message=f'(#100) Unexpected key "caption" on param "{kind}".')
        if len(caption) > MAX_CAPTION:
            raise _too_long(f"{kind}['caption']", MAX_CAPTION)


def _check_location(location: dict[str, Any]) -> None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = checks.required(location, name)
        try:
            is_valid = -most <= float(value) <= most
        except (TypeError, ValueError):
            is_valid = False
        if not is_valid:
            raise GraphError(131009, f"Parameter '{name}' must be a number between -{most} and {most}")


def _check_contacts(contacts: list[Any]) -> None:
    for contact in contacts:
        if not isinstance(contact, dict):
            raise GraphError(131009, "Parameter 'contacts' must be a list of objects")
        name = checks.object_in(contact, "name")
        checks.text_in(name, "formatted_name")
        if not any(name.get(part) for part in ("first_name", "last_name", "middle_name", "suffix", "prefix")):
            raise GraphError(131008, "Contact name needs at least one part besides formatted_name")


def _check_reaction(reaction: dict[str, Any]) -> None:
    checks.text_in(reaction, "message_id")
    if not isinstance(reaction.get("emoji"), str):
        raise GraphError(131008, "Parameter 'emoji' is mandatory")


def _check_template(template: dict[str, Any], templates: Sequence[Template] | None) -> None:
    name = checks.text_in(template, "name", most=512, label="Template name")
    language = checks.text_in(checks.object_in(template, "language"), "code")
    components = template.get("components") or []
    if not isinstance(components, list):
        raise GraphError(131009, "Parameter 'components' must be a list")
    body_parameters = 0
    for component in components:
        kind = str(component.get("type", "")).lower()
        if kind not in ("header", "body", "button", "carousel", "limited_time_offer", "order_status"):
            raise GraphError(131009, f"Template component type '{kind}' is not valid")
        if kind == "button":
            if str(component.get("sub_type", "")).lower() not in BUTTON_SUB_TYPES:
                raise GraphError(131009, "Template button needs a valid sub_type")
            checks.required(component, "index")
        if kind == "body":
            body_parameters = len(component.get("parameters") or [])
    if templates is not None:
        _check_registered(name, language, body_parameters, templates)


def _check_registered(name: str, language: str, body_parameters: int, templates: Sequence[Template]) -> None:
    for template in templates:
        if (template.name, template.language) == (name, language):
            break
    else:
        raise GraphError(132001, f"template name ({name}) does not exist in {language}")
    if template.status == "PAUSED":
        raise GraphError(132015, f"template ({name}) is paused")
    if body_parameters != template.body_parameters:
        raise GraphError(
            132000,
            f"body: number of localizable_params ({body_parameters}) does not match the expected number of params"
            f" ({template.body_parameters})",
        )


CHECKS: dict[str, Callable[[Any], None]] = {
    "text": _check_text,
    "interactive": interactive.check,
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
}
TYPES = (*CHECKS, "template", *MEDIA_TYPES)
