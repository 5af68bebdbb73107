import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.contacts.models import ContactIdentity
from apps.conversations.channels import Content, Remedy, SendError
from apps.conversations.models import Conversation, Message
from apps.whatsapp import sending
from apps.whatsapp.channel import WhatsApp
from apps.whatsapp.limits import ContentRefused

Make = Callable[..., Message]

OUTBOUND = Path(__file__).parents[1] / "payloads" / "outbound"
LINK = "https://padaria.example/pao.jpg"


def example(name: str) -> dict[str, Any]:
    """The request of a published example."""
    request: dict[str, Any] = json.loads((OUTBOUND / f"openapi-messages-send-{name}.json").read_text())["request"]
    return request


def template_content(name: str) -> dict[str, Any]:
    """The content from which the published template message should come out again."""
    template = example(name)["template"]
    return template | {"language": template["language"]["code"]}


@pytest.mark.parametrize(
    ("name", "type", "content"),
    [
        (
            "text-message-with-preview-url",
            "text",
            {"text": "Please visit https://youtu.be/hpltvTEiRrY.", "preview_url": True},
        ),
        ("reply-to-text-message", "text", {"text": "<TEXT_MSG_CONTENT>"}),
        ("image-message-by-id", "image", {"id": "<IMAGE_OBJECT_ID>"}),
        ("image-message-by-url", "image", {"url": "http(s)://image-url"}),
        ("video-message-by-id", "video", {"id": "<VIDEO_OBJECT_ID>", "caption": "<VIDEO_CAPTION_TEXT>"}),
        ("audio-message-by-url", "audio", {"url": "<http(s)://audio-url>"}),
        (
            "document-message-by-id",
            "document",
            {
                "id": "<DOCUMENT_OBJECT_ID>",
                "filename": "<DOCUMENT_FILENAME>",
                "caption": "<DOCUMENT_CAPTION_TO_SEND>",
            },
        ),
        (
            "document-message-by-url",
            "document",
            {"url": "<http(s)://document-url>", "caption": "<DOCUMENT-CAPTION-TEXT>", "filename": ""},
        ),
        ("sticker-message-by-id", "sticker", {"id": "<MEDIA_OBJECT_ID>"}),
        ("sticker-message-by-url", "sticker", {"url": "<http(s)://sticker-url>"}),
        (
            "location-message",
            "location",
            {
                "latitude": 37.758056,
                "longitude": -122.425332,
                "name": "META HQ",
                "address": "1 Hacker Way, Menlo Park, CA 94025",
            },
        ),
        ("contact-message", "contacts", {"contacts": example("contact-message")["contacts"]}),
        ("message-template-text", "template", template_content("message-template-text")),
        ("message-template-media", "template", template_content("message-template-media")),
        ("message-template-interactive", "template", example("message-template-interactive")["template"]),
        ("reply-button", "interactive", example("reply-button")["interactive"]),
        ("list-message", "interactive", example("list-message")["interactive"]),
        ("single-product-message", "interactive", example("single-product-message")["interactive"]),
        ("published-flow-by-id", "interactive", example("published-flow-by-id")["interactive"]),
    ],
)
def test_content_becomes_the_published_request(message: Make, name: str, type: str, content: dict[str, Any]) -> None:
    body = sending.request_body(message(type, content))

    assert body["messaging_product"] == "whatsapp"
    assert (body["type"], body[type]) == (type, example(name)[type])


def test_request_names_recipient_reply_and_our_own_id(message: Make) -> None:
    answer = message("text", {"text": "Bom dia!"}, reply_to="wamid.0")

    assert sending.request_body(answer) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5511999990001",
        "type": "text",
        "text": {"body": "Bom dia!", "preview_url": False},
        "context": {"message_id": "wamid.0"},
        "biz_opaque_callback_data": str(answer.id),
    }


def test_request_of_no_reply_names_none(message: Make) -> None:
    assert "context" not in sending.request_body(message("text", {"text": "Oi"}))


def test_fields_that_meta_does_not_expect_are_left_out(message: Make) -> None:
    body = sending.request_body(message("sticker", {"url": LINK, "filename": "pao.webp", "sha256": "x"}))

    assert body["sticker"] == {"link": LINK}


@pytest.mark.parametrize(
    ("identities", "recipient"),
    [
        ([("bsuid", "BR.1"), ("phone", "5511999990001")], {"to": "+5511999990001"}),
        ([("bsuid", "BR.1")], {"recipient": "BR.1"}),
        ([("bsuid", "BR.1"), ("bsuid", "BR.2")], {"recipient": "BR.2"}),
        ([("phone", "5511999990001"), ("phone", "5521888880002")], {"to": "+5521888880002"}),
    ],
)
def test_recipient_is_the_number_last_learnt_else_the_user_id(
    conversation: Conversation, message: Make, identities: list[tuple[str, str]], recipient: dict[str, str]
) -> None:
    ContactIdentity.objects.all().delete()
    for kind, value in identities:
        conversation.contact.identities.create(organization=conversation.organization, kind=kind, value=value)
    body = sending.request_body(message("text", {"text": "Oi"}))

    assert {name: body[name] for name in ("to", "recipient") if name in body} == recipient


def test_group_is_written_to_by_its_id(conversation: Conversation, message: Make) -> None:
    Conversation.objects.update(kind="group", thread="Y2FwaV9n")
    body = sending.request_body(message("text", {"text": "Oi"}))

    assert (body["recipient_type"], body["to"]) == ("group", "Y2FwaV9n")


def test_contact_without_an_address_is_a_failure_of_the_message(conversation: Conversation, message: Make) -> None:
    ContactIdentity.objects.update(kind="opaque", value="???")
    with pytest.raises(SendError) as error:
        sending.request_body(message("text", {"text": "Oi"}))

    assert (error.value.remedy, error.value.code) == (Remedy.FAIL, "no_recipient")


def buttons(*titles: str, **rest: Any) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": f"b{place}", "title": title}} for place, title in enumerate(titles)]
    return {"type": "button", "body": {"text": "Qual pão?"}, "action": {"buttons": replies}, **rest}


def rows(*counts: int, **row: Any) -> dict[str, Any]:
    sections = [
        {
            "title": f"Seção {place}",
            "rows": [{"id": f"{place}-{number}", "title": f"Pão {number}", **row} for number in range(count)],
        }
        for place, count in enumerate(counts)
    ]
    return {"type": "list", "body": {"text": "Qual pão?"}, "action": {"button": "Ver", "sections": sections}}


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("text", {"text": "x" * 4096}),
        ("image", {"url": LINK, "caption": "x" * 1024}),
        ("document", {"id": "1037543291543636", "filename": "nota.pdf"}),
        ("audio", {"url": LINK, "voice": True}),
        ("template", {"name": "x" * 512, "language": "pt_BR"}),
        ("template", {"name": "pedido", "language": {"code": "pt_BR"}, "components": []}),
        ("location", {"latitude": -90, "longitude": 180}),
        ("contacts", {"contacts": [{"name": {"formatted_name": "Bia", "first_name": "Bia"}}]}),
        ("interactive", buttons("a", "b", "x" * 20)),
        ("interactive", rows(5, 5)),
        ("interactive", rows(10) | {"body": {"text": "x" * 4096}}),
        ("interactive", example("list-message")["interactive"] | {"header": {"type": "text", "text": "Pães"}}),
        ("interactive", example("single-product-message")["interactive"]),
        ("interactive", {"type": "carousel", "action": {"cards": []}}),
    ],
)
def test_content_within_the_limits_passes(channel: WhatsApp, type: str, body: dict[str, Any]) -> None:
    channel.check(Content(type, body))


@pytest.mark.parametrize(
    ("type", "body", "field"),
    [
        ("text", {"text": "x" * 4097}, "text"),
        ("text", {"text": " "}, "text"),
        ("text", {"text": 7}, "text"),
        ("text", {}, "text"),
        ("image", {}, "url"),
        ("image", {"url": "ftp://padaria.example/pao.jpg"}, "url"),
        ("image", {"url": LINK, "caption": "x" * 1025}, "caption"),
        ("audio", {"url": LINK, "caption": "pão"}, "caption"),
        ("document", {"id": 7}, "id"),
        ("template", {"language": "pt_BR"}, "name"),
        ("template", {"name": "x" * 513, "language": "pt_BR"}, "name"),
        ("template", {"name": "pedido"}, "language"),
        ("template", {"name": "pedido", "language": {}}, "language"),
        ("template", {"name": "pedido", "language": "pt_BR", "components": {}}, "components"),
        ("location", {"latitude": 91, "longitude": 0}, "latitude"),
        ("location", {"latitude": 0, "longitude": "0"}, "longitude"),
        ("contacts", {"contacts": []}, "contacts"),
        ("contacts", {"contacts": [{"name": "Bia"}]}, "contacts"),
        ("interactive", {}, "type"),
        ("interactive", {"type": "button", "action": {}}, "body"),
        ("interactive", buttons("a", "b", "c", "d"), "action.buttons"),
        ("interactive", buttons(), "action.buttons"),
        ("interactive", buttons("x" * 21), "action.buttons.reply.title"),
        ("interactive", buttons("a", "a"), "action.buttons.reply.title"),
        ("interactive", buttons("a", body={"text": "x" * 1025}), "body.text"),
        ("interactive", buttons("a", footer={"text": "x" * 61}), "footer.text"),
        ("interactive", buttons("a", header={"type": "text", "text": "x" * 61}), "header.text"),
        ("interactive", rows(6, 5), "action.sections.rows"),
        ("interactive", rows(*[1] * 11), "action.sections"),
        ("interactive", rows(1, title="x" * 25), "action.sections.rows.title"),
        ("interactive", rows(1, description="x" * 73), "action.sections.rows.description"),
        ("interactive", rows(2, id="same"), "action.sections.rows.id"),
        ("interactive", rows(1) | {"header": {"type": "image"}}, "header.type"),
        (
            "interactive",
            {
                "type": "cta_url",
                "body": {"text": "Oi"},
                "action": {"name": "cta_url", "parameters": {"display_text": "x" * 21, "url": LINK}},
            },
            "action.parameters.display_text",
        ),
        (
            "interactive",
            {"type": "flow", "action": {"name": "flow", "parameters": {"flow_cta": "x" * 31}}},
            "action.parameters.flow_cta",
        ),
        ("hologram", {}, "type"),
    ],
)
def test_content_beyond_a_limit_is_refused_with_its_field(
    channel: WhatsApp, type: str, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(ContentRefused) as refusal:
        channel.check(Content(type, body))

    assert (refusal.value.status, refusal.value.code, list(refusal.value.details)) == (400, "content_refused", [field])
