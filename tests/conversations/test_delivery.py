"""Messages leave in order, one at a time per conversation; what cannot be known is never sent twice."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from apps.conversations import delivery, inbound, outbound, statuses
from apps.conversations.authors import Author
from apps.conversations.channels import Content
from apps.conversations.models import Conversation, Message
from apps.organizations.models import User
from tests.support.line import CUSTOMER, Line


def text(words: str) -> Content:
    return Content("text", {"text": words}, words)


def say(agent: User, words: str, *, conversation: Conversation | None = None, **rest: str) -> Message:
    conversation = conversation or Conversation.objects.get(closed_at=None)
    return outbound.send(conversation=conversation, content=text(words), author=Author.person(agent), **rest)


def test_message_of_a_person_is_sent_and_its_statuses_climb(line: Line, agent: User) -> None:
    line.says("Oi")
    message = say(agent, "Bom dia!")
    line.run()
    message.refresh_from_db()
    assert line.meta.texts() == ["Bom dia!"]
    assert message.status == "read"
    assert message.external_id.startswith("wamid.")
    assert message.sent_at
    assert message.delivered_at
    assert message.read_at
    assert message.sent_at <= message.delivered_at <= message.read_at


def test_messages_leave_in_the_order_in_which_they_were_queued(line: Line, agent: User) -> None:
    line.says("Oi")
    words = [f"linha {number}" for number in range(20)]
    for one in words:
        say(agent, one)
    line.run()
    assert line.meta.texts() == words


def test_repeated_request_id_sends_once_and_refuses_another_body(line: Line, agent: User) -> None:
    line.says("Oi")
    first = say(agent, "uma vez", request_id="k1")
    assert say(agent, "uma vez", request_id="k1").pk == first.pk
    with pytest.raises(outbound.IdempotencyMismatch):
        say(agent, "outra coisa", request_id="k1")
    line.run()
    assert line.meta.texts() == ["uma vez"]


def test_person_outside_the_window_is_refused_with_a_code_and_nothing_is_queued(line: Line, agent: User) -> None:
    line.says("Oi")
    Conversation.objects.update(last_inbound_at=timezone.now() - timedelta(hours=24, seconds=1))
    with pytest.raises(outbound.WindowClosed) as refusal:
        say(agent, "tarde demais")
    assert refusal.value.code == "window_closed"
    assert not Message.objects.filter(direction="outbound").exists()
    assert Conversation.objects.get().holder == "bot"


def test_lost_answer_is_unknown_and_its_status_settles_it_without_a_second_send(
    line: Line, agent: User, settings: LazySettings
) -> None:
    line.says("Oi")
    line.meta.faults(drop_answer={"count": 1})
    message = say(agent, "uma só vez")
    delivery.deliver()
    message.refresh_from_db()
    assert message.status in ("unknown", "sent", "delivered", "read")
    line.run()
    message.refresh_from_db()
    assert message.status == "read"
    assert line.meta.texts() == ["uma só vez"]


def test_lost_answer_without_statuses_stays_unknown_and_holds_up_the_next_message_for_a_while(
    line: Line, agent: User, settings: LazySettings
) -> None:
    settings.UNKNOWN_HOLD_SECONDS = 0.3
    line.says("Oi")
    line.meta.faults(drop_answer={"count": 1}, no_statuses={})
    first, second = say(agent, "primeira"), say(agent, "segunda")
    line.run()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("unknown", "queued")
    Conversation.objects.update(delivery_due_at=timezone.now())
    Message.objects.filter(pk=first.pk).update(sending_at=timezone.now() - timedelta(seconds=1))
    line.run()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("unknown", "sent")
    assert line.meta.texts() == ["primeira", "segunda"]


def test_unknown_is_sent_again_only_when_other_statuses_came_and_its_own_did_not(line: Line, agent: User) -> None:
    line.says("Oi")
    line.meta.faults(reset={"count": 1})
    message = say(agent, "talvez")
    delivery.deliver()
    message.refresh_from_db()
    assert message.status == "unknown"
    statuses.settle_unknown()
    message.refresh_from_db()
    assert message.status == "unknown"
    long_ago = timezone.now() - timedelta(seconds=150)
    Message.objects.filter(pk=message.pk).update(sending_at=long_ago)
    statuses.settle_unknown()
    message.refresh_from_db()
    assert message.status == "unknown", "no evidence yet: the account heard no statuses"
    message.account.last_status_at = timezone.now()
    message.account.save(update_fields=["last_status_at"])
    statuses.settle_unknown()
    line.run()
    message.refresh_from_db()
    assert message.status == "read"
    assert line.meta.texts() == ["talvez"]


def test_unknown_without_evidence_ends_failed(line: Line, agent: User) -> None:
    line.says("Oi")
    line.meta.faults(reset={"count": 1})
    message = say(agent, "talvez")
    delivery.deliver()
    Message.objects.filter(pk=message.pk).update(sending_at=timezone.now() - timedelta(minutes=11))
    statuses.settle_unknown()
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("failed", "unknown_outcome")
    assert line.meta.texts() == []


def test_refusal_for_good_fails_with_metas_words_and_the_next_message_goes(line: Line, agent: User) -> None:
    line.says("Oi")
    line.meta.faults(error={"code": 131026, "count": 1})
    first, second = say(agent, "primeira"), say(agent, "segunda")
    line.run()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.error_code) == ("failed", "131026")
    assert second.status == "read"


def test_passing_refusal_is_retried_with_back_off_and_then_sent_once(line: Line, agent: User) -> None:
    line.says("Oi")
    line.meta.faults(error={"code": 131000, "status": 500, "count": 1})
    message = say(agent, "de novo")
    line.run()
    message.refresh_from_db()
    conversation = Conversation.objects.get()
    assert message.status == "queued"
    assert conversation.delivery_due_at
    assert conversation.delivery_due_at > timezone.now()
    Conversation.objects.update(delivery_due_at=timezone.now())
    line.run()
    message.refresh_from_db()
    assert message.status == "read"
    assert line.meta.texts() == ["de novo"]


def test_expired_token_pauses_the_account_and_keeps_the_message(line: Line, agent: User) -> None:
    line.says("Oi")
    line.meta.faults(error={"code": 190, "status": 401, "count": 1})
    message = say(agent, "espera")
    line.run()
    message.refresh_from_db()
    message.account.refresh_from_db()
    assert message.status == "queued"
    assert message.account.paused_until
    assert message.account.paused_until > timezone.now()
    assert message.account.pause_reason.startswith("190")


def test_message_whose_worker_died_while_sending_becomes_unknown_not_sent_again(line: Line, agent: User) -> None:
    line.says("Oi")
    message = say(agent, "no meio")
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(status="sending", sending_at=now)
    Conversation.objects.update(delivery_lease="9" * 32, delivery_lease_until=now - timedelta(seconds=1))
    line.run()
    message.refresh_from_db()
    assert message.status == "unknown"
    assert line.meta.texts() == []


def test_status_for_a_message_unknown_yet_is_parked_and_joined(line: Line, agent: User) -> None:
    line.says("Oi")
    line.meta.faults(no_statuses={})
    message = say(agent, "cedo")
    line.run()
    message.refresh_from_db()
    wamid = message.external_id
    Message.objects.filter(pk=message.pk).update(external_id="")
    status = {"id": wamid, "status": "read", "timestamp": "1766000000", "recipient_id": CUSTOMER}
    line.meta.webhook(_statuses(line, [status]))
    line.run()
    message.refresh_from_db()
    assert message.status == "sent"
    Message.objects.filter(pk=message.pk).update(external_id=wamid)
    inbound.join_parked()
    message.refresh_from_db()
    assert message.status == "read"


def _statuses(line: Line, items: list[dict[str, str]]) -> dict[str, object]:
    metadata = {"phone_number_id": line.meta.phone_number_id, "display_phone_number": "551190000001"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": items}
    entry = {"id": line.meta.waba_id, "changes": [{"field": "messages", "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}
