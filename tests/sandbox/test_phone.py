"""The phone page, in a real browser: what a customer sees and does."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "desktop": {"width": 1280, "height": 800},
}
on_each_screen = pytest.mark.parametrize("page", SIZES, indirect=True)
BUTTONS = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "Como posso ajudar?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "order", "title": "Fazer um pedido"}}]},
    },
}
LIST = {
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "Escolha um pão"},
        "action": {
            "button": "Ver os pães",
            "sections": [{"title": "Pães", "rows": [{"id": "p1", "title": "Pão francês", "description": "Quentinho"}]}],
        },
    },
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(request: Any, browser: Browser, business: Business) -> Iterator[Page]:
    """The page of the customer who has just written, on a phone's screen or the one named; it must not complain."""
    page = browser.new_page(viewport=SIZES[getattr(request, "param", "phone")])
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(business.meta.url + "/")
    expect(page.locator("#presence")).to_have_text("online")
    yield page
    page.close()
    assert complaints == []


def expect_arrival(page: Page) -> None:
    """The customer's last message has reached the business."""
    expect(page.locator(".message.in").last).to_have_attribute("data-status", "delivered")


def open_panel(page: Page) -> None:
    if page.locator("#open-panel").is_visible():
        page.locator("#open-panel").click()


@on_each_screen
def test_customer_chats(page: Page, business: Business) -> None:
    expect(page.locator(".message.in .words")).to_have_text("Oi")
    page.get_by_placeholder("Message").fill("Bom dia")
    page.keyboard.press("Enter")
    expect(page.locator(".message.in").last).to_contain_text("Bom dia")
    expect_arrival(page)
    assert business.items("messages")[-1]["text"] == {"body": "Bom dia"}

    wamid = business.items("messages")[-1]["id"]
    business.post({"status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}})
    expect(page.locator(".message.in").last).to_have_attribute("data-status", "read")
    expect(page.locator("#presence")).to_have_text("typing…")
    expect(page.locator(".typing")).to_be_visible()

    business.send({"text": {"body": "Olá, *Ana*! <b>não</b>"}})
    answer = page.locator(".message.out")
    expect(answer.locator(".words")).to_have_text("Olá, Ana! <b>não</b>")
    expect(answer.locator(".words strong")).to_have_text("Ana")
    expect(answer).to_have_attribute("data-status", "read")
    expect(page.locator(".typing")).to_have_count(0)
    expect(page.locator("#presence")).to_have_text("online")


def test_button_is_tapped(page: Page, business: Business) -> None:
    wamid = business.send(BUTTONS).json()["messages"][0]["id"]
    page.get_by_role("button", name="Fazer um pedido").click()
    expect(page.locator(".message.in").last.locator(".words")).to_have_text("Fazer um pedido")
    expect(page.locator(".message.in").last.locator(".quote")).to_have_text("Como posso ajudar?")
    expect_arrival(page)
    message = business.items("messages")[-1]
    assert message["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "order", "title": "Fazer um pedido"},
    }
    assert message["context"] == {"from": "5511900000001", "id": wamid}


@on_each_screen
def test_row_of_a_list_is_chosen(page: Page, business: Business) -> None:
    business.send(LIST)
    page.get_by_role("button", name="Ver os pães").click()
    page.get_by_role("button", name="Pão francês").click()
    expect(page.locator("#list")).to_be_hidden()
    expect(page.locator(".message.in").last).to_contain_text("Pão francês")
    expect_arrival(page)
    reply = {"id": "p1", "title": "Pão francês", "description": "Quentinho"}
    assert business.items("messages")[-1]["interactive"] == {"type": "list_reply", "list_reply": reply}


def test_failed_message_says_why(page: Page, business: Business, meta: SandboxServer) -> None:
    meta.faults(fail={"code": 131026, "details": "Fora de alcance"})
    business.send()
    expect(page.locator(".message.out .failure")).to_have_text("131026: Fora de alcance")


def test_picture_is_sent_and_shown(page: Page, business: Business) -> None:
    dot = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0000003"
        "010100c9fe92ef0000000049454e44ae426082"
    )
    page.locator("#file").set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": dot})
    expect(page.locator(".message.in img")).to_be_visible()
    expect_arrival(page)
    assert business.items("messages")[-1]["image"]["mime_type"] == "image/png"


def test_documents_stand_as_placeholders(page: Page, business: Business) -> None:
    business.send({"type": "document", "document": {"link": "https://example.org/a.pdf", "filename": "cardápio.pdf"}})
    expect(page.locator(".message.out .medium")).to_contain_text("cardápio.pdf")


def test_reaction_hangs_on_its_message(page: Page, business: Business, meta: SandboxServer) -> None:
    target = meta.chat(CUSTOMER)[0]["id"]
    business.send({"type": "reaction", "reaction": {"message_id": target, "emoji": "🎉"}})
    expect(page.locator(".message.in .reaction")).to_have_text("🎉")
    business.send({"type": "reaction", "reaction": {"message_id": target, "emoji": ""}})
    expect(page.locator(".message.in .reaction")).to_have_count(0)


@on_each_screen
def test_someone_else_takes_the_phone(page: Page, business: Business) -> None:
    open_panel(page)
    page.get_by_label("Name").fill("Bruno")
    page.get_by_label("Number").fill("5521988887777")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.locator(".hint")).to_contain_text("You are Bruno")
    page.get_by_placeholder("Message").fill("Boa tarde")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".message")).to_have_count(1)
    expect_arrival(page)
    [value] = business.webhooks[-1].values
    assert value["contacts"] == [{"profile": {"name": "Bruno"}, "wa_id": "5521988887777"}]

    open_panel(page)
    page.locator("#people").get_by_role("button", name="Ana").click()
    expect(page.locator(".message .words")).to_have_text("Oi")


@on_each_screen
def test_faults_are_switched_on_and_off(page: Page, business: Business, meta: SandboxServer) -> None:
    open_panel(page)
    page.get_by_text("Duplicate", exact=True).click()
    expect(page.locator("#fault-details")).to_contain_text("each webhook comes three times")
    assert meta.say("Oi").answers == [200, 200, 200]
    expect(page.locator("#wire li").first).to_contain_text("webhook → 1 message")
    page.get_by_role("button", name="all off").click()
    expect(page.locator("#fault-details")).to_have_text("All is well.")
    assert meta.say("Oi").answers == [200]


def test_page_catches_up_after_the_sandbox_forgot(page: Page, meta: SandboxServer) -> None:
    meta.reset()
    expect(page.locator(".hint")).to_contain_text("Say hello")
