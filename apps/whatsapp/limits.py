"""What Meta takes: the limits of each type of content, with the field named that breaks one.

Source: Meta, "Messages: send", December 2025. Lengths count characters.
"""

from typing import Any

from apps.core.errors import DomainError

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_FILENAME = 240
MAX_TEMPLATE_NAME = 512
MAX_LANGUAGE = 20


class ContentRefused(DomainError):
    """Meta would not take this content; `details` names the field."""

    code = "content_refused"


def refused(field: str, words: str) -> ContentRefused:
    """The refusal of one field, in the shape of the API's validation errors."""
    return ContentRefused(f"{field}: {words}", details={field: [words]})


def required_text(container: dict[str, Any], name: str, path: str, most: int) -> str:
    """The text under this name, which must be there and be of at most so many characters."""
    value = container.get(name)
    if not isinstance(value, str) or not value.strip():
        raise refused(path, "This text is required.")
    if len(value) > most:
        raise refused(path, f"This may have {most} characters, not {len(value)}.")
    return value


def optional_text(container: dict[str, Any], name: str, path: str, most: int) -> None:
    """The text under this name, if it is there, must be of at most so many characters."""
    if container.get(name):
        required_text(container, name, path, most)


def check_text(body: dict[str, Any]) -> None:
    """Free text."""
    required_text(body, "text", "text", MAX_TEXT)


def check_file(body: dict[str, Any]) -> None:
    """A file by its link, or by the id under which Meta has it."""
    if body.get("id"):
        required_text(body, "id", "id", 255)
    elif not required_text(body, "url", "url", 2000).startswith(("https://", "http://")):
        raise refused("url", "This must be a link that begins with https:// or http://.")
    optional_text(body, "caption", "caption", MAX_CAPTION)
    optional_text(body, "filename", "filename", MAX_FILENAME)


def check_file_without_caption(body: dict[str, Any]) -> None:
    """A file with which WhatsApp shows no words."""
    if body.get("caption"):
        raise refused("caption", "WhatsApp shows no caption with a file of this type.")
    check_file(body)


def check_template(body: dict[str, Any]) -> None:
    """A template by its name and language; what it needs to be filled in, Meta knows alone."""
    required_text(body, "name", "name", MAX_TEMPLATE_NAME)
    language = body.get("language")
    code = language.get("code") if isinstance(language, dict) else language
    required_text({"language": code}, "language", "language", MAX_LANGUAGE)
    components = [] if body.get("components") is None else body["components"]
    if not isinstance(components, list) or not all(isinstance(component, dict) for component in components):
        raise refused("components", "This must be a list of objects.")


def check_location(body: dict[str, Any]) -> None:
    """A place on the map."""
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = body.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
            raise refused(name, f"This must be a number from -{most} to {most}.")


def check_contacts(body: dict[str, Any]) -> None:
    """Cards of contacts."""
    contacts = body.get("contacts")
    if not isinstance(contacts, list) or not contacts or not all(isinstance(contact, dict) for contact in contacts):
        raise refused("contacts", "This must be a list of contacts.")
    for contact in contacts:
        name = contact.get("name")
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise refused("contacts", "Each contact needs a name with its formatted_name.")
