import copy
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.contacts.services import Person
from apps.conversations.items import (
    AccountItem,
    EditItem,
    IgnoredItem,
    Item,
    Media,
    MessageItem,
    ReactionItem,
    RevokeItem,
    StatusItem,
    Step,
)
from apps.whatsapp import parsing
from apps.whatsapp.channel import WhatsApp
from tests.whatsapp.conftest import PAYLOADS
from tests.whatsapp.samples import EXPECTED
from tests.whatsapp.webhooks import CUSTOMER, NUMBER_ID, WABA_ID, change, contact, text, webhook

Payload = Callable[[str], dict[str, Any]]

AT = datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)  # 1749416383


def items(payload: Any) -> list[Item]:
    """What the drain makes of a webhook: split first, then parsed."""
    return [item for part in parsing.split(payload) for item in parsing.parse(part)]


def only(payload: Any) -> Any:
    [item] = items(payload)
    return item


def described(item: Item) -> str:
    """The item's kind, with its type, status, topic or field."""
    match item:
        case MessageItem(is_echo=True):
            return f"echo {item.type}"
        case MessageItem(kind="group"):
            return f"group {item.type}"
        case MessageItem():
            return f"message {item.type}"
        case StatusItem(step=step):
            return f"status {step.status}"
        case AccountItem(topic=topic):
            return f"account {topic}"
        case IgnoredItem(kind=kind):
            return f"ignored {kind}"
    return type(item).__name__.removesuffix("Item").lower()


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_every_published_sample_becomes_its_item(payload: Payload, name: str) -> None:
    assert [described(item) for item in items(payload(name))] == [EXPECTED[name]]


def test_text_message_is_whole(payload: Payload) -> None:
    assert only(payload("pywa-message-reply")) == MessageItem(
        address="1122334455667",
        external_id="wamid.xyzxyz",
        person=Person(
            identities=(("bsuid", "US.13491208655302741918"), ("phone", "972987654321")), name="Test Name", username=""
        ),
        type="text",
        text="replied text",
        content={"text": "replied text"},
        sent_at=datetime(2023, 10, 11, 17, 19, 6, tzinfo=UTC),
        reply_to="wamid.xyzxyz==",
    )


@pytest.mark.parametrize(
    ("name", "text", "content"),
    [
        (
            "metadocs-messages-interactive-reply-buttons-messages-4",
            "Change",
            {"type": "button_reply", "id": "change-button", "title": "Change"},
        ),
        (
            "metadocs-messages-interactive-list-messages-3",
            "Priority Mail Express",
            {
                "type": "list_reply",
                "id": "priority_express",
                "title": "Priority Mail Express",
                "description": "Next Day to 2 Days",
            },
        ),
        (
            "pywa-callback-button-quick-reply",
            "title",
            {"id": "callback_data", "title": "title", "payload": "callback_data", "text": "title"},
        ),
        (
            "pywa-flow-completion-without-flow-token",
            "Sent",
            {
                "type": "nfm_reply",
                "name": "flow",
                "body": "Sent",
                "response_json": (
                    '{"comment_text":"Comment Text","delivery_rating":"4","purchase_rating":"2","recommend_radio":"0",'
                    '"cs_rating":"0"}'
                ),
                "response": {
                    "comment_text": "Comment Text",
                    "delivery_rating": "4",
                    "purchase_rating": "2",
                    "recommend_radio": "0",
                    "cs_rating": "0",
                },
            },
        ),
        (
            "pywa-call-permission-update-reject",
            "Calls: reject",
            {"type": "call_permission_reply", "response": "reject", "response_source": "user_action"},
        ),
        (
            "pywa-message-interactive-message-with-err",
            "Unsupported message",
            {
                "type": "",
                "errors": [
                    {
                        "code": 131000,
                        "title": "Something went wrong",
                        "message": "Something went wrong",
                        "error_data": {"details": "Unsupported webhook payload"},
                    }
                ],
            },
        ),
        (
            "pywa-message-current-location",
            "📍 12.25089, 43.90539",
            {"latitude": 12.25089, "longitude": 43.90539, "forwarded": True},
        ),
        ("pywa-message-forwarded-many-times", "text forwarded many times", None),
        ("pywa-message-contacts", "Chandler Bing, Monica, Rachel Green", None),
        ("pywa-message-order", "🛒 3 products", None),
        ("metadocs-webhooks-reference-messages-order-1", "🛒 2 products: Love these!", None),
        ("pywa-message-unsupported-with-type", "Unsupported message (pool)", None),
    ],
)
def test_message_says(payload: Payload, name: str, text: str, content: dict[str, Any] | None) -> None:
    item = only(payload(name))

    assert item.text == text
    if content is not None:
        assert item.content == content


def test_file_is_kept_by_reference_with_its_caption(payload: Payload) -> None:
    item = only(payload("metadocs-webhooks-reference-messages-document-1"))
    [media] = item.media

    assert (item.text, item.content["caption"], item.content["filename"]) == ("my receipt", "my receipt", "receipt.pdf")
    assert media == Media(
        type="document",
        external_id="622684793477189",
        url="https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=133...",
        mime_type="application/pdf",
        filename="receipt.pdf",
        sha256="V5OPpLD/gEG6Xjg0MbmQDLFgcKsL+j5LfY4ny/pZ4MY=",
    )


def test_short_lived_link_of_a_file_stays_out_of_the_content(payload: Payload) -> None:
    item = only(payload("pywa-message-media-with-url"))

    assert item.media[0].url.startswith("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=65463453")
    assert item.content == {"mime_type": "image/jpeg", "sha256": "4654+8g=", "id": "65463453"}


def test_old_voice_type_is_an_audio() -> None:
    message = text() | {"type": "voice", "voice": {"id": "9", "mime_type": "audio/ogg"}}
    item = only(webhook(change(messages=[message])))

    assert (item.type, item.content) == ("audio", {"id": "9", "mime_type": "audio/ogg", "voice": True})
    assert item.media == (Media(type="audio", external_id="9", mime_type="audio/ogg"),)


def test_advertisement_that_led_to_the_message_is_kept(payload: Payload) -> None:
    item = only(payload("pywa-message-referral"))

    assert (item.content["referral"]["source_id"], item.content["referral"]["ctwa_clid"]) == ("ADID", "CTWA_CLID")


def test_product_asked_about_is_kept(payload: Payload) -> None:
    item = only(payload("openapi-text-message-with-context-product-inquiry"))

    assert item.content["referred_product"] == {"catalog_id": "194836987003835", "product_retailer_id": "di9ozbzfi4"}


def test_unknown_type_is_kept_as_it_came() -> None:
    message = text() | {"type": "hologram", "hologram": {"depth": 3}}
    item = only(webhook(change(messages=[message])))

    assert (item.type, item.text) == ("hologram", "Unsupported message (hologram)")
    assert item.content == {"raw": message}


@pytest.mark.parametrize("type", ["", None, ["text"], "x" * 21])
def test_type_that_is_no_name_is_called_unknown(type: Any) -> None:
    item = only(webhook(change(messages=[text() | {"type": type}])))

    assert (item.type, item.text) == ("unknown", "Unsupported message")


def test_form_answer_that_is_no_object_is_kept_as_text() -> None:
    reply = {"type": "nfm_reply", "nfm_reply": {"response_json": '"ok"', "body": "Sent", "name": "flow"}}
    item = only(webhook(change(messages=[text() | {"type": "interactive", "interactive": reply}])))

    assert (item.content["response_json"], item.content["response"]) == ('"ok"', {})


@pytest.mark.parametrize(
    ("message", "contacts", "identities", "username"),
    [
        pytest.param(text(), [contact()], (("phone", CUSTOMER),), "", id="phone"),
        pytest.param(text(sender="+" + CUSTOMER), [], (("phone", CUSTOMER),), "", id="plus"),
        pytest.param(
            text(sender="5511999990001"),
            [contact("551199990001")],
            (("phone", "5511999990001"), ("phone", "551199990001")),
            "",
            id="two-forms-of-one-number",
        ),
        pytest.param(
            text(from_user_id="BR.134912"),
            [contact(user_id="BR.134912", profile={"name": "Bia", "username": "@bia"})],
            (("bsuid", "BR.134912"), ("phone", CUSTOMER)),
            "bia",
            id="bsuid-first",
        ),
        pytest.param(
            text(sender=None, from_user_id="BR.134912"),
            [contact(None, user_id="BR.134912", profile={"name": "Bia", "username": "bia"})],
            (("bsuid", "BR.134912"),),
            "bia",
            id="no-phone",
        ),
        pytest.param(
            text(sender="BR.134912"), [contact("BR.134912")], (("bsuid", "BR.134912"),), "", id="bsuid-in-from"
        ),
        pytest.param(text(sender="", from_user_id="BR.1"), [contact("")], (("bsuid", "BR.1"),), "", id="empty-from"),
        pytest.param(text(sender="???"), [contact("???")], (("opaque", "???"),), "", id="neither"),
        pytest.param(
            text(sender=None),
            [contact(None, profile={"username": "@bia"})],
            (("opaque", "username:bia"),),
            "bia",
            id="username-alone",
        ),
        pytest.param(
            text(sender=5511999990001), [contact(5511999990001)], (("phone", CUSTOMER),), "", id="number-not-text"
        ),
        pytest.param(
            text(), [contact("5521888880002"), contact()], (("phone", CUSTOMER),), "", id="contact-found-by-number"
        ),
        pytest.param(
            text(),
            [contact("5521888880002"), contact("5531777770003")],
            (("phone", CUSTOMER),),
            "",
            id="other-peoples-contacts",
        ),
    ],
)
def test_sender_is_known_by(
    message: dict[str, Any], contacts: list[dict[str, Any]], identities: tuple[tuple[str, str], ...], username: str
) -> None:
    person = only(webhook(change(messages=[message], contacts=contacts))).person

    assert (person.identities, person.username) == (identities, username)


def test_long_name_of_a_sender_is_shortened_to_a_digest() -> None:
    person = only(webhook(change(messages=[text(sender="?" * 300)]))).person

    assert person.identities == (("opaque", "sha256:5cb5e40317f70e92478eccf32a784661c6c128e7d377496aca9f6c9f3a7e4eec"),)


def test_message_that_does_not_say_who_it_is_from_is_ignored() -> None:
    assert only(webhook(change(messages=[text(sender=None)]))) == IgnoredItem(
        NUMBER_ID, "message", "It does not say who it is from."
    )


def test_contacts_of_a_batch_stay_with_their_own_messages() -> None:
    payload = webhook(
        change(
            messages=[text(id="wamid.1"), text(id="wamid.2", sender="5521888880002"), text(id="wamid.3")],
            contacts=[contact("5521888880002", name="Caio"), contact(name="Bia")],
        )
    )

    assert [(item.external_id, item.person.name) for item in items(payload) if isinstance(item, MessageItem)] == [
        ("wamid.1", "Bia"),
        ("wamid.2", "Caio"),
        ("wamid.3", "Bia"),
    ]


def test_contact_whose_number_differs_belongs_to_the_only_sender_of_a_batch() -> None:
    batch = [text(id="wamid.1"), text(id="wamid.2")]
    payload = webhook(change(messages=batch, contacts=[contact("551199990001")]))

    assert [item.person.name for item in items(payload) if isinstance(item, MessageItem)] == ["Bia", "Bia"]


def test_group_message_is_told_to_the_group() -> None:
    message = text(group_id="Y2FwaV9n", from_user_id="BR.1")
    item = only(webhook(change(messages=[message], contacts=[contact(user_id="BR.1")])))

    assert (item.kind, item.thread) == ("group", "Y2FwaV9n")
    assert item.person == Person(identities=(("opaque", "group:Y2FwaV9n"),))
    assert item.content == {"text": "Oi", "participant": {"bsuid": "BR.1", "phone": CUSTOMER, "name": "Bia"}}


def test_message_without_an_id_has_the_same_one_each_time() -> None:
    message = text()
    del message["id"]
    first, second = only(webhook(change(messages=[message]))), only(webhook(change(messages=[message])))
    other = only(webhook(change(messages=[{**message, "timestamp": "1749416384"}])))

    assert first.external_id == second.external_id != other.external_id
    assert first.external_id.startswith("sha256:")


@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        ("1749416383", AT),
        (1749416383, AT),
        (1749416383.0, AT),
        ("1749416383000", AT),
        ("", None),
        (None, None),
        ("soon", None),
        ("-1", None),
        (0, None),
        (True, None),
        ("nan", None),
        ("1e400", None),
        ("4102444800", None),  # 2100: it would hold the window open
        ({}, None),
    ],
)
def test_time_is_read_whatever_its_form(timestamp: Any, moment: datetime | None) -> None:
    message = text() | {"timestamp": timestamp}

    assert only(webhook(change(messages=[message]))).sent_at == moment


def test_echo_of_the_phone_app_is_told_to_the_customer() -> None:
    echo = text("Já vamos!", sender="551130000000") | {"to": CUSTOMER, "to_user_id": "BR.1"}
    item = only(webhook(change("smb_message_echoes", message_echoes=[echo], contacts=[contact(user_id="BR.1")])))

    assert (item.is_echo, item.text) == (True, "Já vamos!")
    assert item.person == Person(identities=(("bsuid", "BR.1"), ("phone", CUSTOMER)), name="Bia")


@pytest.mark.parametrize(("field", "by"), [("messages", "contact"), ("smb_message_echoes", "business")])
def test_reaction_says_whose_it_is(field: str, by: str) -> None:
    message = text() | {"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}}
    name = "messages" if field == "messages" else "message_echoes"

    assert only(webhook(change(field, **{name: [message]}))) == ReactionItem(NUMBER_ID, "wamid.0", "👍", by)


@pytest.mark.parametrize("name", ["pywa-message-unreaction-empty", "pywa-message-unreaction-no-emoji"])
def test_reaction_is_taken_back_in_both_forms(payload: Payload, name: str) -> None:
    assert only(payload(name)) == ReactionItem("1122334455667", "wamid.yzxyzx=", "")


def test_edit_names_the_message_and_its_new_words(payload: Payload) -> None:
    assert only(payload("pywa-outgoing-message-edit")) == EditItem(
        "1122334455667",
        "wamid.zzzzzz",
        "Text was edited",
        {"text": "Text was edited"},
        datetime(2023, 10, 11, 17, 22, 48, tzinfo=UTC),
    )


def test_revoke_names_the_message(payload: Payload) -> None:
    assert only(payload("pywa-outgoing-message-delete")) == RevokeItem(
        "1122334455667", "wamid.zzzzzz", datetime(2023, 10, 11, 17, 22, 48, tzinfo=UTC)
    )


@pytest.mark.parametrize("type", ["reaction", "edit", "revoke"])
def test_change_of_no_message_is_ignored(type: str) -> None:
    assert only(webhook(change(messages=[text() | {"type": type}]))) == IgnoredItem(
        NUMBER_ID, type, "It names no message."
    )


def test_new_number_of_a_customer_is_learnt(payload: Payload) -> None:
    item = only(payload("openapi-system-message"))

    assert item.type == "system"
    assert item.text == "User Sheena Nelson changed from 16505551234 to 12195555358"
    assert item.person.identities == (("phone", "16505551234"), ("phone", "12195555358"))


def test_new_user_id_of_a_customer_is_learnt() -> None:
    system = {"type": "user_changed_user_id", "body": "Bia changed", "user_id": "BR.2"}
    item = only(webhook(change(messages=[text(from_user_id="BR.1") | {"type": "system", "system": system}])))

    assert item.person.identities == (("bsuid", "BR.1"), ("phone", CUSTOMER), ("bsuid", "BR.2"))


def test_status_carries_our_reference(payload: Payload) -> None:
    assert only(payload("pywa-message-status-with-tracker")) == StatusItem(
        "1122334455667",
        "wamid.xyzxyz",
        Step("sent", datetime(2023, 10, 25, 20, 49, 5, tzinfo=UTC)),
        reference="some data",
    )


def test_failed_status_carries_metas_words(payload: Payload) -> None:
    words = "This message was not delivered to maintain healthy ecosystem engagement."

    assert only(payload("bsuid2026-status-failed-to-phone")).step == Step(
        "failed",
        datetime(2025, 6, 15, 23, 27, 53, tzinfo=UTC),
        error_code="131049",
        error_title=words,
        error_details=("In order to maintain a healthy ecosystem engagement, the message failed to be delivered."),
    )


@pytest.mark.parametrize(
    ("errors", "step"),
    [
        ([{"code": 131026}], ("131026", "", "")),
        ([{"code": "131026", "message": "Undeliverable"}], ("131026", "Undeliverable", "")),
        ([], ("", "", "")),
        (None, ("", "", "")),
        (["131026"], ("", "", "")),
    ],
)
def test_failed_status_is_read_with_parts_missing(errors: Any, step: tuple[str, str, str]) -> None:
    status = {"id": "wamid.1", "status": "failed", "timestamp": "1749416383", "errors": errors}
    item = only(webhook(change(statuses=[status])))

    assert item.step == Step("failed", AT, *step)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"id": "wamid.1", "status": "deleted"}, "Nothing is done about the status 'deleted'."),
        ({"id": "wamid.1"}, "Nothing is done about the status ''."),
        ({"status": "sent"}, "It names no message."),
        ({"status": "sent", "id": "x" * 513}, "It names no message."),
    ],
)
def test_status_that_asks_for_nothing_is_ignored(status: dict[str, Any], reason: str) -> None:
    assert only(webhook(change(statuses=[status]))) == IgnoredItem(NUMBER_ID, "status", reason)


def test_message_to_an_unnamed_number_is_ignored() -> None:
    payload = webhook({"field": "messages", "value": {"messages": [text()]}})

    assert only(payload) == IgnoredItem(WABA_ID, "messages", "It names no phone number id.")


def test_unknown_field_is_ignored_with_its_name() -> None:
    assert only(webhook(change("holograms"))) == IgnoredItem(
        NUMBER_ID, "holograms", "Nothing is known of the field 'holograms'."
    )


def test_news_about_the_business_account_has_its_address(payload: Payload) -> None:
    item = only(payload("pywa-account-update-account-restriction"))

    assert (item.address, item.topic, item.value["event"]) == (WABA_ID, "account_update", "ACCOUNT_RESTRICTION")


def test_errors_of_the_account_are_news_about_it(payload: Payload) -> None:
    item = only(payload("metadocs-webhooks-reference-messages-errors-1"))

    assert (item.address, item.topic, item.value["errors"][0]["code"]) == (NUMBER_ID, "errors", 130429)


def test_webhook_of_27_messages_and_statuses_is_split_whole() -> None:
    ids = iter(range(1, 28))
    statuses = iter(range(1, 10))
    entries = [
        webhook(
            *(
                change(
                    messages=[text(id=f"wamid.{next(ids)}") for _ in range(3)],
                    statuses=[{"id": f"wamid.out{next(statuses)}", "status": "read"}],
                    contacts=[contact()],
                )
                for _ in range(3)
            ),
            entry_id=str(number),
        )["entry"][0]
        for number in range(3)
    ]
    payload = {"object": "whatsapp_business_account", "entry": entries}
    parts = list(parsing.split(payload))
    found = items(payload)

    assert len(parts) == 36
    assert [item.external_id for item in found if isinstance(item, MessageItem)] == [
        f"wamid.{number}" for number in range(1, 28)
    ]
    assert [item.external_id for item in found if isinstance(item, StatusItem)] == [
        f"wamid.out{number}" for number in range(1, 10)
    ]
    assert found == list(parsing.parse(payload))


def test_split_webhooks_are_webhooks_of_their_own() -> None:
    [first, second] = parsing.split(webhook(change(messages=[text(id="wamid.1"), text(id="wamid.2")])))

    assert [list(parsing.split(part)) for part in (first, second)] == [[first], [second]]
    assert first["object"] == "whatsapp_business_account"
    assert first["entry"][0]["id"] == WABA_ID


def test_addresses_are_the_numbers_and_business_accounts(channel: WhatsApp) -> None:
    assert channel.addresses(webhook(change(messages=[text()]), change(statuses=[]))) == [NUMBER_ID, WABA_ID]


@pytest.mark.parametrize("payload", [None, [], "x", 7, {}, {"entry": {}}, {"entry": [None, {"changes": "x"}]}])
def test_body_that_is_no_webhook_holds_nothing(channel: WhatsApp, payload: Any) -> None:
    assert (channel.addresses(payload), items(payload)) == ([], [])


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.just("x" * 600),
    st.lists(st.none() | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), st.none(), max_size=2), max_size=3),
    st.dictionaries(st.sampled_from(["id", "type", "body", "text", "profile"]), st.none() | st.integers(), max_size=3),
)
SAMPLES = [json.loads(path.read_text()) for path in sorted(PAYLOADS.glob("*.json"))]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in keys for place in [(value, key), *places(inner)]]


@given(
    sample=st.sampled_from(SAMPLES), odd=st.lists(ODD | st.just(KeyError), min_size=1, max_size=4), seed=st.integers()
)
def test_odd_values_anywhere_never_raise_and_yield_items_alone(sample: Any, odd: list[Any], seed: int) -> None:
    mutated, dice = copy.deepcopy(sample), random.Random(seed)
    for value in odd:
        found = places(mutated)
        if not found:
            break
        container, key = dice.choice(found)
        if value is KeyError:
            del container[key]
        else:
            container[key] = value

    assert all(isinstance(address, str) and address for address in parsing.addresses(mutated))
    for item in items(mutated):
        assert isinstance(item, Item)
        json.dumps([vars(item)], default=str, allow_nan=False)
        if isinstance(item, MessageItem):
            assert item.person.identities
            assert 0 < len(item.external_id) <= 512
            assert all(value and len(value) <= 255 for _, value in item.person.identities)
        if isinstance(item, MessageItem | EditItem):
            assert isinstance(item.text, str)
            assert isinstance(item.content, dict)
