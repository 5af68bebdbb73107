"""What every channel must hold: nothing lost, doubled, misrouted or let in. A new channel's kit runs all of it."""

import itertools
import json
import pathlib
import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone

from apps.contacts.models import Contact
from apps.conversations import holding, inbound, outbound, turns
from apps.conversations.authors import Author
from apps.conversations.channels import Content
from apps.conversations.models import ChannelAccount, Conversation, Message, WebhookEvent, WebhookItem
from apps.meta import signatures
from apps.organizations.models import Organization, User
from tests.support.bots import make_chatbot
from tests.support.kits import KITS, Kit
from tests.support.line import Line
from tests.support.poison import poison

ADDRESS = "100000000000001"
ECHO: tuple[tuple[str, dict[str, Any]], ...] = (("message", {"content": "recebido"}), ("end", {}))
PAYLOADS = pathlib.Path(__file__).parent / "payloads"


@pytest.fixture(params=KITS, ids=lambda kit: kit.key)
def kit(request: pytest.FixtureRequest) -> Kit:
    return request.param


def post(line: Line, kit: Kit, payload: Any, *, secret: str = "test-app-secret", **headers: str) -> int:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = headers or {"X-Hub-Signature-256": signatures.sign(body, secret)}
    url = f"{line.url}/api/v1/{kit.key}/webhook"
    return requests.post(
        url, data=body, headers={"Content-Type": "application/json", **headers}, timeout=30
    ).status_code


def ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}.{number}" for number in range(count)]


def test_webhook_five_times_in_parallel_is_one_message_and_one_reply(
    line: Line, kit: Kit, number: ChannelAccount
) -> None:
    make_chatbot(number, *ECHO)
    payload = kit.webhook(ADDRESS, kit.text("m.1", "Oi"))
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(lambda _: post(line, kit, payload), range(5))) == [200] * 5
    line.run()
    assert post(line, kit, payload) == 200
    line.run()
    assert [text for _, text, _ in line.messages()] == ["Oi", "recebido"]
    assert line.meta.texts() == ["recebido"]


def test_batch_of_three_by_three_by_three_messages_and_statuses_is_27_messages(line: Line, kit: Kit) -> None:
    names = iter(ids("m", 27))
    groups = [
        [
            [*(kit.text(next(names), "x", customer=f"551190000{entry}{change}{item}0") for item in range(3)),
             kit.status(f"unknown.{entry}.{change}", "delivered", 1766000000)]
            for change in range(3)
        ]
        for entry in range(3)
    ]  # fmt: skip
    assert post(line, kit, kit.nest(ADDRESS, groups)) == 200
    line.run()
    assert sorted(Message.objects.values_list("external_id", flat=True)) == sorted(ids("m", 27))
    assert WebhookItem.objects.filter(state="parked").count() == 9
    assert not WebhookItem.objects.exclude(state="parked").exists()


def test_batch_of_a_seen_and_a_new_message_keeps_the_new_one(line: Line, kit: Kit) -> None:
    post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "primeira")))
    line.run()
    post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "primeira"), kit.text("m.2", "segunda")))
    line.run()
    assert list(Message.objects.order_by("seq").values_list("text", flat=True)) == ["primeira", "segunda"]


def test_poisonous_item_is_a_dead_letter_and_the_others_are_unharmed(
    line: Line, kit: Kit, number: ChannelAccount
) -> None:
    items = [
        kit.text(name, "veneno" if name == "m.1" else "bom", customer=f"55119000000{name[-1]}0") for name in ids("m", 4)
    ]
    with poison("veneno"):
        post(line, kit, kit.webhook(ADDRESS, *items))
        line.run()
    assert sorted(Message.objects.values_list("external_id", flat=True)) == ["m.0", "m.2", "m.3"]
    dead = WebhookItem.objects.get()
    assert (dead.state, dead.kind, dead.organization_id) == ("dead", "message", number.organization_id)
    assert "veneno" in dead.traceback
    assert inbound.replay(dead) is None
    assert Message.objects.count() == 4
    assert not WebhookItem.objects.exists()


def test_twenty_quick_messages_of_one_contact_are_all_there_in_order_each_reply_after_its_cause(
    line: Line, kit: Kit, number: ChannelAccount
) -> None:
    make_chatbot(number, *ECHO)
    for name in ids("m", 20):
        post(line, kit, kit.webhook(ADDRESS, kit.text(name, name)))
        if random.random() < 0.3:
            inbound.drain()
            turns.take()
    line.run()
    inbound_seqs = list(
        Message.objects.filter(direction="inbound").order_by("seq").values_list("external_id", flat=True)
    )
    assert inbound_seqs == ids("m", 20)
    replies = Message.objects.filter(direction="outbound").order_by("seq")
    assert replies.count() == 20
    causes = dict(Message.objects.filter(direction="inbound").values_list("correlation_id", "seq"))
    assert all(causes[reply.correlation_id] < reply.seq for reply in replies)


def test_fifty_parallel_first_messages_are_one_contact_one_conversation_fifty_messages(line: Line, kit: Kit) -> None:
    with ThreadPoolExecutor(20) as pool:
        work = [lambda name=name: post(line, kit, kit.webhook(ADDRESS, kit.text(name, "Oi"))) for name in ids("m", 50)]
        answers = [pool.submit(one) for one in work]
        drains = [threading.Thread(target=drain_in_a_thread) for _ in range(3)]
        for thread in drains:
            thread.start()
        assert [answer.result() for answer in answers] == [200] * 50
        for thread in drains:
            thread.join()
    line.run()
    assert (Contact.objects.count(), Conversation.objects.count(), Message.objects.count()) == (1, 1, 50)
    assert sorted(Message.objects.values_list("seq", flat=True)) == list(range(1, 51))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Nothing": "here"},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature": "sha1=" + "0" * 40},
    ],
    ids=["unsigned", "forged", "empty", "sha1-only"],
)
def test_body_without_a_good_signature_is_refused_and_nothing_is_stored(
    line: Line, kit: Kit, headers: dict[str, str]
) -> None:
    assert post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "Oi")), **headers) == 403
    assert not WebhookEvent.objects.exists()


def test_tampered_or_wrongly_signed_body_is_refused_and_nothing_is_stored(line: Line, kit: Kit) -> None:
    payload = kit.webhook(ADDRESS, kit.text("m.1", "Oi"))
    signature = signatures.sign(json.dumps(payload).encode(), "test-app-secret")
    tampered = json.dumps(payload).replace("Oi", "Tchau").encode()
    assert post(line, kit, tampered, **{"X-Hub-Signature-256": signature}) == 403
    assert post(line, kit, payload, secret="another-secret") == 403
    assert not WebhookEvent.objects.exists()


def test_secret_of_one_organization_never_speaks_for_the_number_of_another(
    line: Line, kit: Kit, organization: Organization, other_organization: Organization
) -> None:
    kit.make_account(organization, "100000000000777", app_secret="secret-of-a")
    kit.make_account(other_organization, "100000000000888", app_secret="secret-of-b")
    mine = kit.webhook("100000000000777", kit.text("m.1", "minha"))
    theirs = kit.webhook("100000000000888", kit.text("m.2", "alheia"))
    both = {**mine, "entry": [*mine["entry"], *theirs["entry"]]}
    assert post(line, kit, both, secret="secret-of-a") == 200
    line.run()
    assert list(Message.objects.values_list("external_id", "organization__slug")) == [("m.1", organization.slug)]
    [unclaimed] = WebhookItem.objects.all()
    assert (unclaimed.state, unclaimed.organization) == ("unclaimed", None)
    assert post(line, kit, kit.webhook("100000000000777", kit.text("m.3", "app")), secret="test-app-secret") == 200
    line.run()
    assert not Message.objects.filter(external_id="m.3").exists(), "an account with its own secret accepts no other"


def test_message_for_a_number_that_nobody_owns_is_kept_unclaimed(line: Line, kit: Kit) -> None:
    assert post(line, kit, kit.webhook("999", kit.text("m.1", "Oi"))) == 200
    line.run()
    [item] = WebhookItem.objects.all()
    assert (item.state, item.reason) == ("unclaimed", "no account has this address")
    assert not Message.objects.exists()


def test_body_of_three_megabytes_passes_and_a_larger_one_is_too_large(line: Line, kit: Kit) -> None:
    payload = kit.webhook(ADDRESS, kit.text("m.1", ""))
    room = 3 * 1024 * 1024 - len(json.dumps(payload))
    payload = kit.webhook(ADDRESS, kit.text("m.1", "x" * room))
    assert post(line, kit, payload) == 200
    assert post(line, kit, json.dumps(payload).encode() + b" ") == 413
    line.run()
    assert len(Message.objects.get().text) == room


def test_thousand_changes_in_one_body_pass(line: Line, kit: Kit) -> None:
    groups = [[[kit.text(name, "x", customer=f"5511{name[2:]:0>9}")] for name in ids("m", 1000)]]
    assert post(line, kit, kit.nest(ADDRESS, groups)) == 200
    line.run()
    assert Message.objects.count() == 1000
    assert Contact.objects.count() == 1000


def test_every_order_of_statuses_ends_in_the_same_state(line: Line, kit: Kit, agent: User) -> None:
    line.meta.faults(no_statuses={})
    line.says("Oi")
    conversation = Conversation.objects.get()
    steps = {"sent": 1766000001, "delivered": 1766000002, "read": 1766000003, "failed": 1766000004}
    messages = []
    for order in itertools.permutations(steps):
        content = Content("text", {"text": "x"}, "x")
        message = outbound.send(conversation=conversation, content=content, author=Author.person(agent))
        Message.objects.filter(pk=message.pk).update(status="sending", external_id=f"out.{message.pk}")
        messages.append(message.pk)
        for step in order:
            post(line, kit, kit.webhook(ADDRESS, kit.status(f"out.{message.pk}", step, steps[step])))
            if random.random() < 0.5:
                inbound.drain()
    inbound.drain()
    ends = Message.objects.filter(pk__in=messages).values_list(
        "status", "sent_at", "delivered_at", "read_at", "failed_at", "error_code"
    )
    assert len(messages) == 24
    assert len(set(ends)) == 1
    [(status, *times, code)] = set(ends)
    assert (status, code) == ("read", "131026")
    assert [int(time.timestamp()) for time in times if time] == [1766000001, 1766000002, 1766000003, 1766000004]


def test_takeover_while_the_bot_is_thinking_fences_its_turn(
    line: Line, kit: Kit, number: ChannelAccount, agent: User
) -> None:
    make_chatbot(number, *ECHO)
    post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "Oi")))
    inbound.drain()
    thinking = turns._claim()
    decided, _ = turns._decide(thinking)
    holding.take(conversation=Conversation.objects.get(), by=Author.person(agent))
    turns._commit(decided)
    line.run()
    assert line.meta.sent() == []
    assert [author for author, _, _ in line.messages()] == ["contact"]


def test_takeover_while_the_bots_words_are_queued_cancels_them(
    line: Line, kit: Kit, number: ChannelAccount, agent: User
) -> None:
    make_chatbot(number, *ECHO)
    post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "Oi")))
    inbound.drain()
    turns.take()
    holding.take(conversation=Conversation.objects.get(), by=Author.person(agent))
    line.run()
    assert line.meta.sent() == []
    assert line.messages() == [("contact", "Oi", "received"), ("bot", "recebido", "cancelled")]


def test_turn_whose_lease_was_lost_writes_nothing(line: Line, kit: Kit, number: ChannelAccount) -> None:
    make_chatbot(number, *ECHO)
    post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "Oi")))
    inbound.drain()
    decided = turns._decide(turns._claim())[0]
    Conversation.objects.update(turn_lease=uuid.uuid4(), turn_lease_until=timezone.now() - timedelta(seconds=1))
    turns._commit(decided)
    assert [author for author, _, _ in line.messages()] == ["contact"]
    line.run()
    assert line.meta.texts() == ["recebido"]


def test_bots_reply_outside_the_window_is_dropped_with_a_reason_and_no_dead_letter(
    line: Line, kit: Kit, number: ChannelAccount
) -> None:
    make_chatbot(number, *ECHO)
    post(line, kit, kit.webhook(ADDRESS, {**kit.text("m.1", "Oi"), "timestamp": "1700000000"}))
    line.run()
    reply = Message.objects.get(direction="outbound")
    assert (reply.status, reply.error_code) == ("cancelled", "window_closed")
    assert line.meta.sent() == []
    assert not WebhookItem.objects.exists()


@pytest.mark.parametrize("kit_key", [kit.key for kit in KITS])
def test_every_published_payload_is_stored_and_raises_no_dead_letter(line: Line, kit_key: str) -> None:
    kit = next(kit for kit in KITS if kit.key == kit_key)
    files = sorted((PAYLOADS / kit_key).glob("*.json"))
    assert len(files) > 100
    for file in files:
        payload = json.loads(file.read_text())
        addressed = json.dumps(payload).replace('"106540352242922"', f'"{ADDRESS}"')
        assert post(line, kit, addressed.encode()) == 200, file.name
    inbound.drain()
    assert WebhookEvent.objects.filter(state="done").count() == len(files)
    assert not WebhookItem.objects.filter(state="dead").exists()
    assert Message.objects.exists()


def test_items_are_delivered_to_the_account_that_is_named(
    line: Line, kit: Kit, other_organization: Organization
) -> None:
    kit.make_account(other_organization, "100000000000888")
    post(line, kit, kit.webhook(ADDRESS, kit.text("m.1", "para um")))
    post(line, kit, kit.webhook("100000000000888", kit.text("m.2", "para outro")))
    line.run()
    owners = dict(Message.objects.values_list("external_id", "organization__slug"))
    assert owners == {"m.1": "padaria-sol", "m.2": other_organization.slug}
    assert Contact.objects.count() == 2


def drain_in_a_thread() -> None:
    for _ in range(5):
        inbound.drain()
    connection.close()
