"""Every limit that is exceeded, and every rule that is broken, gets Meta's error, and nothing is accepted."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.business import CUSTOMER, Business
from tests.support.meta import SandboxServer

Refused = Callable[[dict[str, Any]], dict[str, Any]]


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def buttons(*titles: str, body: str = "Escolha", **rest: Any) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": str(place), "title": title}} for place, title in enumerate(titles)]
    action = {"buttons": replies}
    return {"type": "interactive", "interactive": {"type": "button", "body": {"text": body}, "action": action} | rest}


def rows(count: int, start: int = 0, **rest: Any) -> list[dict[str, Any]]:
    return [{"id": f"r{place}", "title": f"Row {place}"} | rest for place in range(start, start + count)]


def listing(*sections: dict[str, Any], button: str = "Ver", body: str = "Escolha") -> dict[str, Any]:
    action = {"button": button, "sections": list(sections)}
    return {"type": "interactive", "interactive": {"type": "list", "body": {"text": body}, "action": action}}


def link(**parameters: Any) -> dict[str, Any]:
    given = {"display_text": "Abrir", "url": "https://example.org"} | parameters
    action = {"name": "cta_url", "parameters": given}
    return {"type": "interactive", "interactive": {"type": "cta_url", "body": {"text": "Veja"}, "action": action}}


def flow(**parameters: Any) -> dict[str, Any]:
    given = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Abrir"} | parameters
    action = {"name": "flow", "parameters": given}
    return {"type": "interactive", "interactive": {"type": "flow", "body": {"text": "Preencha"}, "action": action}}


def carousel(cards: int) -> dict[str, Any]:
    action = {"cards": [{"card_index": place, "type": "cta_url", "action": {"name": "x"}} for place in range(cards)]}
    return {"type": "interactive", "interactive": {"type": "carousel", "body": {"text": "Veja"}, "action": action}}


def image(**content: Any) -> dict[str, Any]:
    return {"type": "image", "image": content}


HTTPS = "https://example.org/a.jpg"
AT_THE_LIMIT = {
    "text of 4096": text("a" * 4096),
    "caption of 1024": image(link=HTTPS, caption="a" * 1024),
    "opaque data of 512": text("Oi") | {"biz_opaque_callback_data": "a" * 512},
    "3 buttons of 20": buttons("a" * 20, "b" * 20, "c" * 20, body="a" * 1024, footer={"text": "f" * 60}),
    "header of 60": buttons("Sim", header={"type": "text", "text": "h" * 60}),
    "10 rows in 2 sections": listing({"title": "a" * 24, "rows": rows(5)}, {"title": "B", "rows": rows(5, 5)}),
    "list body of 4096": listing({"rows": rows(1)}, body="a" * 4096, button="b" * 20),
    "row of 24 and 72": listing({"rows": [{"id": "1", "title": "t" * 24, "description": "d" * 72}]}),
    "link label of 20": link(display_text="a" * 20),
    "flow label of 30": flow(flow_cta="a" * 30),
    "2 cards": carousel(2),
    "10 cards": carousel(10),
    "removed reaction": {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": ""}},
}

# what is sent, Meta's code, and words of the error's details or message
BEYOND = {
    "no product": (text("Oi") | {"messaging_product": ""}, 100, "messaging_product is required"),
    "no recipient": (text("Oi") | {"to": ""}, 100, "The parameter to is required"),
    "odd recipient type": (text("Oi") | {"recipient_type": "crowd"}, 100, "recipient_type must be one of"),
    "unknown type": ({"type": "poll", "poll": {}}, 100, "Param type must be one of"),
    "type without content": ({"type": "image"}, 131008, "'image' is mandatory"),
    "content of the wrong form": ({"type": "text", "text": "Oi"}, 131009, "'text' has the wrong form"),
    "empty text": (text("  "), 100, "text['body'] is required"),
    "text of 4097": (text("a" * 4097), 100, "text['body'] must be at most 4096"),
    "opaque data of 513": (text("Oi") | {"biz_opaque_callback_data": "a" * 513}, 100, "must be at most 512"),
    "context without id": (text("Oi") | {"context": {}}, 131008, "'message_id' is mandatory"),
    "media without source": (image(caption="a"), 100, "Exactly one of the parameters image['id']"),
    "media with both": (image(id="1", link=HTTPS), 100, "Exactly one of the parameters image['id']"),
    "unknown media id": (image(id="123"), 100, "not a valid whatsapp business account media attachment ID"),
    "link that is none": (image(link="file:///etc/passwd"), 100, "not a valid URI"),
    "caption of 1025": (image(link=HTTPS, caption="a" * 1025), 100, "image['caption'] must be at most 1024"),
    "caption on audio": ({"type": "audio", "audio": {"link": HTTPS, "caption": "a"}}, 100, 'Unexpected key "caption"'),
    "4 buttons": (buttons("a", "b", "c", "d"), 131009, "Max allowed buttons: 3"),
    "no buttons": (buttons(), 131009, "Min allowed buttons: 1"),
    "button title of 21": (buttons("a" * 21), 131009, "Button title length invalid"),
    "same button title twice": (buttons("a", "a"), 131009, "Duplicated button title"),
    "button body of 1025": (buttons("a", body="a" * 1025), 131009, "Body text length invalid"),
    "footer of 61": (buttons("a", footer={"text": "a" * 61}), 131009, "Footer text length invalid"),
    "header of 61": (buttons("a", header={"type": "text", "text": "a" * 61}), 131009, "Header text length"),
    "header without source": (buttons("a", header={"type": "image", "image": {}}), 131008, "needs an id or a link"),
    "11 rows": (listing({"title": "A", "rows": rows(6)}, {"title": "B", "rows": rows(5, 6)}), 131009, "row count"),
    "11 sections": (listing(*({"title": str(n), "rows": rows(1, n)} for n in range(11))), 131009, "sections: 10"),
    "sections without titles": (listing({"rows": rows(1)}, {"rows": rows(1, 1)}), 131008, "'title' is mandatory"),
    "section title of 25": (listing({"title": "a" * 25, "rows": rows(1)}), 131009, "Section title length"),
    "list label of 21": (listing({"rows": rows(1)}, button="a" * 21), 131009, "Button label length"),
    "row title of 25": (listing({"rows": rows(1, title="a" * 25)}), 131009, "Row title length"),
    "row description of 73": (listing({"rows": rows(1, description="a" * 73)}), 131009, "Row description length"),
    "same row id twice": (listing({"rows": rows(2, id="a")}), 131009, "Duplicated row id"),
    "list body of 4097": (listing({"rows": rows(1)}, body="a" * 4097), 131009, "Body text length"),
    "link label of 21": (link(display_text="a" * 21), 131009, "Display text length"),
    "link of another scheme": (link(url="javascript:alert(1)"), 131009, "URL must begin with"),
    "flow label of 31": (flow(flow_cta="a" * 31), 131009, "Flow CTA length"),
    "flow with id and name": (flow(flow_name="a"), 131009, "Exactly one of flow_id and flow_name"),
    "1 card": (carousel(1), 131009, "Min allowed cards: 2"),
    "11 cards": (carousel(11), 131009, "Max allowed cards: 10"),
    "unknown interactive": ({"type": "interactive", "interactive": {"type": "quiz"}}, 131009, "'quiz'"),
    "latitude of 91": ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009, "'latitude'"),
    "contact without name": ({"type": "contacts", "contacts": [{"phones": []}]}, 131008, "'name' is mandatory"),
    "reaction to nothing": ({"type": "reaction", "reaction": {"emoji": "👍"}}, 131008, "'message_id' is mandatory"),
    "template without language": ({"type": "template", "template": {"name": "a"}}, 131008, "'language'"),
    "sent to itself": (text("Oi") | {"to": "5511900000001"}, 131021, "cannot be the sender"),
}


@pytest.mark.parametrize("content", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT.keys())
def test_message_at_the_limit_is_accepted(content: dict[str, Any], business: Business) -> None:
    response = business.send(content)
    assert response.status_code == 200, response.text
    assert len(business.meta.sent()) == 1


@pytest.mark.parametrize(("content", "code", "words"), BEYOND.values(), ids=BEYOND.keys())
def test_message_beyond_the_limit_gets_metas_error(
    content: dict[str, Any], code: int, words: str, refused: Refused
) -> None:
    error = refused(content)
    assert (error["status"], error["code"], error["type"]) == (400, code, "OAuthException")
    assert words in error["message"] + error.get("error_data", {}).get("details", "")
    assert error["message"].startswith(f"(#{code}) ")
    assert len(error["fbtrace_id"]) == 23


def test_body_that_is_no_json_is_refused(business: Business) -> None:
    url = f"{business.meta.graph_url}/v25.0/{business.meta.phone_number_id}/messages"
    response = requests.post(url, data=b"{", headers={"Authorization": "Bearer token"}, timeout=10)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 100)


@pytest.mark.parametrize(
    ("token", "known", "subcode"),
    [("", None, None), ("EXPIRED-1", None, 463), ("other", ["token"], None)],
    ids=["missing", "expired", "unknown"],
)
def test_token_that_does_not_work_is_refused(
    token: str, known: list[str] | None, subcode: int | None, business: Business
) -> None:
    business.meta.configure(tokens=known)
    response = business.send(token=token)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("error_subcode")) == (401, 190, subcode)
    assert business.meta.sent() == []


def test_token_of_the_list_works(business: Business) -> None:
    business.meta.configure(tokens=["token"])
    assert business.send(token="token").status_code == 200


def test_number_that_nobody_owns_is_an_unknown_object(business: Business) -> None:
    response = requests.post(
        f"{business.meta.graph_url}/v25.0/999/messages", json={}, headers={"Authorization": "Bearer t"}, timeout=10
    )
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
    assert error["type"] == "GraphMethodException"
    assert "Object with ID '999' does not exist" in error["message"]


def test_forty_sixth_message_at_once_to_one_customer_is_too_many(business: Business, meta: SandboxServer) -> None:
    meta.say("Oi", customer="5511999990002")
    codes = [business.send().status_code for _ in range(45)]
    refusal = business.send()
    other = business.send(to="5511999990002")

    assert codes == [200] * 45
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (400, 131056)
    assert other.status_code == 200


def test_pair_limit_can_be_switched_off(business: Business, meta: SandboxServer) -> None:
    meta.configure(is_pair_limited=False)
    assert [business.send().status_code for _ in range(50)] == [200] * 50


def test_more_than_the_numbers_throughput_is_too_much(business: Business, meta: SandboxServer) -> None:
    number = {"phone_number_id": meta.phone_number_id, "waba_id": meta.waba_id, "display_phone_number": "+1 555 0100"}
    meta.configure(numbers=[number | {"throughput": 2}])
    meta.faults()
    started = time.monotonic()
    answers = [business.send() for _ in range(5)]

    assert time.monotonic() - started < 0.5, "too slow to tell"
    assert [answer.status_code for answer in answers[-2:]] == [400, 400]
    assert answers[-1].json()["error"]["code"] == 130429
    assert answers[-1].json()["error"]["message"] == "(#130429) Rate limit hit"
    assert len(meta.sent()) < 3


DAY_OLD = str(int(time.time()) - 24 * 3600 - 60)
TEMPLATE = {"type": "template", "template": {"name": "aviso", "language": {"code": "pt_BR"}}}


@pytest.fixture
def closed_window(meta: SandboxServer) -> str:
    """A customer who wrote more than a day ago."""
    customer = "5511999990009"
    meta.say(customer=customer, message={"type": "text", "text": {"body": "Oi"}, "timestamp": DAY_OLD})
    return customer


def test_text_outside_the_window_is_accepted_and_fails_later(
    business: Business, meta: SandboxServer, closed_window: str
) -> None:
    response = business.send(to=closed_window)
    meta.wait_idle()

    assert response.status_code == 200
    wamid = response.json()["messages"][0]["id"]
    [status] = business.items("statuses")
    assert (status["id"], status["status"], status["recipient_id"]) == (wamid, "failed", closed_window)
    [error] = status["errors"]
    assert (error["code"], error["title"]) == (131047, "Re-engagement message")
    assert "more than 24 hours" in error["error_data"]["details"]


def test_text_outside_the_window_can_be_refused_at_once(
    business: Business, meta: SandboxServer, closed_window: str
) -> None:
    meta.configure(window="error")
    response = business.send(to=closed_window)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 131047)
    assert meta.sent() == []


def test_template_passes_outside_the_window(business: Business, meta: SandboxServer, closed_window: str) -> None:
    assert business.send(TEMPLATE, to=closed_window).status_code == 200
    meta.wait_idle()
    assert business.statuses() == ["sent", "delivered", "read"]


def test_a_new_message_opens_the_window(business: Business, meta: SandboxServer, closed_window: str) -> None:
    meta.say("Voltei", customer=closed_window)
    business.send(to=closed_window)
    meta.wait_idle()
    assert business.statuses() == ["sent", "delivered", "read"]


@pytest.mark.parametrize(
    ("template", "code", "status"),
    [
        ({"name": "nenhum", "language": {"code": "pt_BR"}}, 132001, 404),
        ({"name": "aviso", "language": {"code": "en"}}, 132001, 404),
        ({"name": "aviso", "language": {"code": "pt_BR"}}, 132000, 400),
        ({"name": "parado", "language": {"code": "pt_BR"}}, 132015, 400),
    ],
    ids=["unknown name", "unknown language", "too few parameters", "paused"],
)
def test_template_that_is_not_registered_so_is_refused(
    template: dict[str, Any], code: int, status: int, business: Business, refused: Refused
) -> None:
    business.meta.configure(templates=[{"name": "aviso", "body_parameters": 1}, {"name": "parado", "status": "PAUSED"}])
    error = refused({"type": "template", "template": template})
    assert (error["code"], error["status"]) == (code, status)


def test_registered_template_is_accepted(business: Business) -> None:
    business.meta.configure(templates=[{"name": "aviso", "body_parameters": 1}])
    body = {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}
    content = {"name": "aviso", "language": {"code": "pt_BR"}, "components": [body]}
    assert business.send({"type": "template", "template": content}).status_code == 200


def test_reading_an_unknown_message_is_refused(business: Business) -> None:
    response = business.post({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.none"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, 131009)
    assert [entry["status"] for entry in business.meta.chat(CUSTOMER)] == ["delivered"]
