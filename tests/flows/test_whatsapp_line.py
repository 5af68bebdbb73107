"""Flows over WhatsApp, from webhook to Graph: what they offer arrives as buttons and lists, and a touch answers it."""

from apps.whatsapp.models import WhatsAppAccount
from tests.support.bots import make_chatbot
from tests.support.line import Line

BUTTONS = [{"id": "buy", "title": "Comprar"}, {"id": "sell", "title": "Vender"}]


def test_buttons_arrive_and_a_touch_answers_them(line: Line, number: WhatsAppAccount) -> None:
    make_chatbot(
        number,
        ("interactive_buttons", {"bodyText": "E aí?", "buttons": BUTTONS, "outputVariable": "x"}),
        ("message", {"content": "={{x}}"}),
    )
    line.meta.say("Oi")
    line.run()
    [offered] = line.meta.sent()
    assert offered["body"]["interactive"] == {
        "type": "button",
        "body": {"text": "E aí?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "buy", "title": "Comprar"}},
                {"type": "reply", "reply": {"id": "sell", "title": "Vender"}},
            ]
        },
    }
    reply = {"type": "button_reply", "button_reply": {"id": "sell", "title": "Vender"}}
    line.meta.say(message={"type": "interactive", "interactive": reply})
    line.run()
    assert line.meta.texts() == ["=sell"]


def test_a_question_with_many_options_arrives_as_a_list_and_a_number_answers_it(
    line: Line, number: WhatsAppAccount
) -> None:
    options = [f"Opção {place}" for place in range(1, 6)]
    make_chatbot(
        number,
        ("question", {"content": "Qual?", "options": options, "variableName": "x"}),
        ("message", {"mediaType": "image", "mediaUrl": "https://sol.example/a.png", "content": "={{x}}"}),
    )
    line.meta.say("Oi")
    line.run()
    [offered] = line.meta.sent()
    rows = offered["body"]["interactive"]["action"]["sections"][0]["rows"]
    assert rows == [{"id": option, "title": option} for option in options]
    line.meta.say("3")
    line.run()
    assert line.meta.sent()[1]["body"]["image"] == {"link": "https://sol.example/a.png", "caption": "=Opção 3"}
