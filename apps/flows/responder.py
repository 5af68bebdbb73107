"""Flows as a responder: what the customer wrote goes through the engine; what the engine wants goes to the turn."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from django.db import close_old_connections, connection
from django.utils import timezone

from apps.conversations.models import Conversation, Message
from apps.conversations.responders import Detach, Effects, Turn, responders
from apps.core import bulk
from apps.flows import calling, compiled, people, profile, starting, visits
from apps.flows.calls import Call, Request, Result
from apps.flows.effects import HandOver
from apps.flows.engine import Destination
from apps.flows.models import FlowSession
from apps.flows.passage import WAKEUPS, Memo, NeedsCall, Passage
from apps.flows.starting import Post

logger = structlog.get_logger(__name__)

QUEUE = "calls"
"""The Celery queue on which turns that want something of the world are taken."""
MANY, WITHIN = 200, timedelta(minutes=10)
"""So many messages in that time are no conversation of a person: two machines talk to one another."""

_STILL_ANSWERING = """
SELECT flow.id FROM flows_flow AS flow JOIN flows_chatbot AS chatbot ON chatbot.id = flow.chatbot_id
WHERE flow.id = ANY(%s) AND flow.is_active AND flow.deleted_at IS NULL
  AND chatbot.is_active AND chatbot.deleted_at IS NULL
FOR SHARE
"""


class Overtaken(Exception):
    """Somebody took the conversation while the flow was at work."""


@responders.register
class Flows:
    """Chatbots answer with a flow of the account's chatbot, or go on with the session that waits."""

    key = "flows"

    def decide(self, turns: Sequence[Turn]) -> dict[uuid.UUID, Effects | Detach]:
        """Run what is pending through its flow. Inactive chatbots and flows, and empty ones, stay silent."""
        mine = [turn for turn in turns if turn.messages or WAKEUPS & set(turn.wakeups)]
        posts = starting.posts(mine)
        versions = _versions(posts.values())
        racing = _racing([turn for turn in mine if turn.conversation.pk in posts])
        answers: dict[uuid.UUID, Effects | Detach] = {}
        spoken = []
        for turn in mine:
            pk = turn.conversation.pk
            if pk not in posts:
                continue
            if pk in racing:
                answers[pk] = _brake(turn)
                continue
            passage = Passage(turn, posts[pk], versions)
            try:
                if passage.run():
                    spoken.append(passage)
            except NeedsCall:
                answers[pk] = Detach(QUEUE)
        directory = people.Directory(one.conversation.organization_id for one in spoken if one.hand_over)
        return {**answers, **{passage.conversation.pk: passage.effects(directory) for passage in spoken}}

    def think(self, turn: Turn) -> Effects | None:
        """The same for one turn, with everything that its flow wants of the world."""
        posts = starting.posts([turn])
        conversation = turn.conversation
        if conversation.pk not in posts:
            return None

        def perform(call: Call, node: str, visit: str) -> Result:
            if not _is_held(conversation):
                raise Overtaken
            close_old_connections()  # back to the pool: this may take a minute
            if isinstance(call, Request):
                call = replace(call, idempotency_key=str(uuid.uuid5(conversation.pk, visit)))
            return calling.perform(call, organization_id=conversation.organization_id)

        passage = Passage(turn, posts[conversation.pk], _versions(posts.values()), perform)
        try:
            if not passage.run():
                return None
        except Overtaken:
            logger.info("turn_overtaken", conversation=str(conversation.pk))
            return None
        directory = people.Directory([conversation.organization_id] if passage.hand_over else [])
        return passage.effects(directory)

    def save(self, decided: Sequence[tuple[Turn, Effects]]) -> set[uuid.UUID]:
        """Write the sessions of those whose flows may still speak."""
        with connection.cursor() as cursor:
            cursor.execute(_STILL_ANSWERING, [list({pk for _, effects in decided for pk in effects.memo.flow_ids})])
            answering = {row[0] for row in cursor.fetchall()}
        kept = [(turn, effects.memo) for turn, effects in decided if effects.memo.flow_ids <= answering]
        changed = [memo.before for _, memo in kept if memo.before]
        bulk.update(FlowSession, changed, ["state", "versions", "problem", "ended_at", "updated_at"])
        FlowSession.objects.bulk_create([session for _, memo in kept for session in memo.begun])
        visits.record([memo.visited for _, memo in kept])
        profile.save({turn.conversation.contact_id: memo.learnt for turn, memo in kept if memo.learnt})
        return {turn.conversation.pk for turn, _ in kept}

    def describe(self, conversations: Iterable[Conversation]) -> dict[uuid.UUID, dict[str, Any]]:
        """The flow that is running in each conversation, where it waits, and what it knows."""
        running = [conversation.pk for conversation in conversations if conversation.active_chatbot_id]
        if not running:
            return {}
        return {
            session.conversation_id: {
                "active_flow_id": str(session.flow_id),
                "current_node_id": session.state.get("node"),
                "context_variables": session.state.get("variables", {}),
            }
            for session in FlowSession.objects.live().filter(conversation_id__in=running)
        }


def _versions(posts: Iterable[Post]) -> dict[uuid.UUID, Destination]:
    """The versions on which these conversations are, or may come."""
    wanted: set[uuid.UUID] = set()
    for post in posts:
        wanted |= {flow.version_id for flow in post.bot.flows if flow.version_id}
        if post.session:
            wanted.add(post.session.version_id)
            wanted |= {uuid.UUID(version) for version in post.session.versions.values()}
    return compiled.versions(wanted)


def _racing(turns: Sequence[Turn]) -> set[uuid.UUID]:
    """The conversations in which messages fly to and fro faster than people write."""
    long = {turn.conversation.pk: turn.conversation for turn in turns if turn.conversation.last_seq > MANY}
    if not long:
        return set()
    since = timezone.now() - WITHIN
    marks = [(pk, conversation.last_seq - MANY) for pk, conversation in long.items()]
    recent = Message.objects.filter(
        conversation_id__in=long, seq__in={seq for _, seq in marks}, created_at__gt=since
    ).values_list("conversation_id", "seq")
    return {pk for pk, _ in set(recent) & set(marks)}


def _brake(turn: Turn) -> Effects:
    """People look at it; nothing is said."""
    tenant = turn.conversation.organization_id
    reason = f"More than {MANY} messages in {WITHIN.seconds // 60} minutes: this looks like two machines talking."
    nothing = Memo(frozenset(), None, [], {}, [])
    return Effects(hand_over=people.Directory([tenant]).find(tenant, HandOver(reason)), memo=nothing)


def _is_held(conversation: Conversation) -> bool:
    """Whether this turn may still act in the conversation."""
    return Conversation.objects.filter(
        pk=conversation.pk,
        turn_lease=conversation.turn_lease,
        holder_epoch=conversation.holder_epoch,
        closed_at=None,
    ).exists()
