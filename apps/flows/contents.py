"""What a flow says, as messages of a channel: with its buttons and lists where they fit, else in numbered words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apps.conversations.channels import Capabilities, Content
from apps.flows.effects import Ask, Choice, Effect, Location, Media, Say, Template

MAX_BUTTON = 20
MAX_ROW = 24
MAX_DESCRIPTION = 72
MAX_BUTTONS_BODY = 1024
MAX_HEADER = MAX_FOOTER = 60
MAX_ID = 200
MAX_CAPTION = 1024
OPENER = "Ver opções"


def of(effects: Iterable[Effect], capabilities: Capabilities) -> Iterator[Content]:
    """The messages, in the order in which they are said."""
    for effect in effects:
        match effect:
            case Say(text):
                yield from _texts(text, capabilities.max_text)
            case Media():
                yield from _media(effect, capabilities)
            case Location():
                yield _location(effect)
            case Template(name, language, components):
                body = {"name": name, "language": language, "components": list(components)}
                yield Content("template", body, name)
            case Ask():
                yield from _ask(effect, capabilities)


def loss(effect: Effect, capabilities: Capabilities) -> str:
    """How a channel shows this otherwise than it was drawn, in words; empty: as it was drawn."""
    match effect:
        case Say(text) if len(text) > capabilities.max_text:
            return f"a text of more than {capabilities.max_text} characters is sent in parts"
        case Ask() if effect.choices and _action(effect, capabilities) is None:
            return f"these {len(effect.choices)} choices are shown as a numbered text"
        case Template() if not capabilities.templates:
            return "there are no templates"
    return ""


def _texts(text: str, most: int) -> Iterator[Content]:
    """A text as one message, or as several where the channel takes no such long one: parted at lines, else at words."""
    while len(text) > most:
        end = max(text.rfind("\n", 1, most), 0) or max(text.rfind(" ", 1, most), 0) or most
        if text[:end].strip():
            yield _text(text[:end])
        text = text[end:].lstrip()
    if text.strip():
        yield _text(text)


def _text(text: str) -> Content:
    return Content(type="text", body={"text": text}, text=text)


def _media(media: Media, capabilities: Capabilities) -> Iterator[Content]:
    """A file; words that do not fit below it, or that it cannot carry, follow it."""
    fits = media.type != "audio" and len(media.caption) <= MAX_CAPTION
    caption = media.caption if fits else ""
    fields = {"url": media.url, "caption": caption, "filename": media.filename if media.type == "document" else ""}
    yield Content(media.type, {name: value for name, value in fields.items() if value}, caption)
    if not fits:
        yield from _texts(media.caption, capabilities.max_text)


def _location(place: Location) -> Content:
    fields = {"latitude": place.latitude, "longitude": place.longitude, "name": place.name, "address": place.address}
    body = {name: value for name, value in fields.items() if value != ""}
    return Content("location", body, f"📍 {place.name or place.address or f'{place.latitude}, {place.longitude}'}")


def _ask(ask: Ask, capabilities: Capabilities) -> Iterator[Content]:
    """A question; its words for the inbox, and for channels that show no choices, number the answers on offer."""
    words = "\n\n".join(
        filter(None, [ask.header.strip(), ask.text.strip(), _numbered(ask.choices), ask.footer.strip()])
    )
    action = _action(ask, capabilities)
    if action:
        yield Content(type="interactive", body=_interactive(ask, action), text=words)
    elif words:
        yield from _texts(words, capabilities.max_text)


def _numbered(choices: Sequence[Choice]) -> str:
    lines = []
    for number, choice in enumerate(choices, start=1):
        lines.append(f"{number}. {choice.title}" + (f": {choice.description}" if choice.description.strip() else ""))
    return "\n".join(lines)


def _action(ask: Ask, capabilities: Capabilities) -> dict[str, Any] | None:
    """The buttons or the list of a question; None if they do not fit the channel."""
    choices = ask.choices
    if (
        not choices
        or not ask.text.strip()
        or len(ask.header) > MAX_HEADER
        or len(ask.footer) > MAX_FOOTER
        or any(not choice.title.strip() or len(choice.id) > MAX_ID for choice in choices)
    ):
        return None
    if not ask.as_list and _fit_buttons(ask, capabilities):
        buttons = [{"type": "reply", "reply": {"id": choice.id, "title": choice.title}} for choice in choices]
        return {"buttons": buttons}
    if _fit_rows(ask, capabilities):
        opener = ask.opener if ask.opener.strip() and len(ask.opener) <= MAX_BUTTON else OPENER
        return {"button": opener, "sections": _sections(choices)}
    return None


def _fit_buttons(ask: Ask, capabilities: Capabilities) -> bool:
    titles = [choice.title for choice in ask.choices]
    return (
        len(titles) <= capabilities.buttons
        and len(set(titles)) == len(titles)
        and max(map(len, titles)) <= MAX_BUTTON
        and len(ask.text) <= MAX_BUTTONS_BODY
        and not any(choice.description.strip() for choice in ask.choices)
    )


def _fit_rows(ask: Ask, capabilities: Capabilities) -> bool:
    return (
        len(ask.choices) <= capabilities.list_rows
        and all(len(choice.title) <= MAX_ROW for choice in ask.choices)
        and all(len(choice.description) <= MAX_DESCRIPTION for choice in ask.choices)
        and len(ask.text) <= capabilities.max_text
    )


def _sections(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """The rows under the titles of their sections; under none, unless each of several sections has one."""
    titles = list(dict.fromkeys(choice.section for choice in choices))
    if not all(title.strip() and len(title) <= MAX_ROW for title in titles):
        return [{"rows": [_row(choice) for choice in choices]}]
    return [
        {"title": title, "rows": [_row(choice) for choice in choices if choice.section == title]} for title in titles
    ]


def _row(choice: Choice) -> dict[str, str]:
    row = {"id": choice.id, "title": choice.title}
    return {**row, "description": choice.description} if choice.description.strip() else row


def _interactive(ask: Ask, action: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"type": "button" if "buttons" in action else "list", "body": {"text": ask.text}}
    if ask.header.strip():
        body["header"] = {"type": "text", "text": ask.header}
    if ask.footer.strip():
        body["footer"] = {"text": ask.footer}
    return {**body, "action": action}
