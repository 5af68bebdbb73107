"""What became of every message: the rows in PostgreSQL beside what arrived at Meta."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.reliability.crowd import Crowd, Customer
from tests.support.meta import SandboxServer
from tests.support.processes import Recado

SETTLE_SECONDS = 40.0

_WORK = """
SELECT (SELECT count(*) FROM conversations_webhookevent WHERE state = 'pending') AS events,
       (SELECT count(*) FROM conversations_conversation WHERE turn_due_at IS NOT NULL) AS turns,
       (SELECT count(*) FROM conversations_conversation WHERE delivery_due_at IS NOT NULL) AS deliveries,
       (SELECT count(*) FROM conversations_message WHERE status IN ('queued', 'sending')) AS messages
"""
_EVENTS = """
SELECT id, state FROM conversations_webhookevent WHERE position(convert_to(%s, 'UTF8') IN body) > 0 ORDER BY id
"""
_REPLIES = """
SELECT id::text, text, status, attempts, error_code FROM conversations_message
WHERE direction = 'outbound'
  AND conversation_id IN (SELECT conversation_id FROM conversations_message WHERE external_id = ANY(%s))
ORDER BY seq
"""
_UNREAD = """
SELECT id::text, status, attempts, error_code, external_id FROM conversations_message
WHERE direction = 'outbound' AND status <> 'read'
"""
_DEAD = "SELECT kind, reason, traceback FROM conversations_webhookitem WHERE state = 'dead'"
_UNFINISHED = """
SELECT id::text, turn_due_at, turn_lease_until, delivery_due_at, delivery_lease_until, now()
FROM conversations_conversation WHERE turn_due_at IS NOT NULL OR delivery_due_at IS NOT NULL LIMIT 5
"""


@dataclass(frozen=True)
class Ledger:
    """The books of one Recado and its Meta."""

    recado: Recado
    meta: SandboxServer

    def query(self, statement: str, *parameters: Any) -> list[Any]:
        """Rows of Recado's database."""
        with psycopg.connect(self.recado.environment["DATABASE_URL"], connect_timeout=5) as connection:
            return connection.execute(statement, parameters).fetchall()

    def settle(self) -> None:
        """Return once nothing is left to do but to learn what became of sends that were cut off."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while any(left := self.query(_WORK)[0]):
            assert time.monotonic() < deadline, (
                f"Left undone after {SETTLE_SECONDS} s (events, turns, deliveries, messages): {left}\n"
                f"{self._unfinished()}\n{self.recado.words.last()}"
            )
            time.sleep(0.1)
        self.meta.wait_idle(timeout=SETTLE_SECONDS)
        if any(self.query(_WORK)[0]):
            self.settle()

    def unknown(self) -> int:
        """How many sends' outcome is unknown."""
        return int(self.query("SELECT count(*) FROM conversations_message WHERE status = 'unknown'")[0][0])

    def check(self, crowd: Crowd) -> None:
        """Every acknowledged message is stored once and answered once; no message of ours reached Meta twice."""
        problems = [
            *self._stored(crowd.acknowledged),
            *self._doubled(),
            *(problem for customer in crowd.customers for problem in self._answered(customer)),
            *self._unread(),
            *(f"dead item (kind, reason, traceback): {row}" for row in self.query(_DEAD)),
        ]
        assert not problems, "\n".join([*problems[:20], f"{len(problems)} problems", self.recado.words.last()])

    def _stored(self, wamids: set[str]) -> Iterable[str]:
        rows = self.query("SELECT external_id FROM conversations_message WHERE external_id = ANY(%s)", list(wamids))
        counts = Counter(row[0] for row in rows)
        for wamid in sorted(wamids):
            if counts[wamid] != 1:
                events = self.query(_EVENTS, wamid)
                yield f"{wamid}: acknowledged, stored {counts[wamid]} times; its events (id, state): {events}"

    def _doubled(self) -> Iterable[str]:
        sent = Counter(message["biz_opaque_callback_data"] for message in self.meta.sent())
        return (f"our message {key} reached Meta {count} times" for key, count in sent.items() if count > 1)

    def _answered(self, customer: Customer) -> Iterable[str]:
        heard = [text.strip() for text in self.meta.texts(customer.phone)]
        ours = self._replies(customer)
        expected = customer.replies
        if any(attempts > 1 for _, _, _, attempts, _ in ours):  # what is sent again may come after what was said later
            heard, expected = sorted(heard), sorted(expected)
        if heard != expected:
            yield f"{customer.phone} wrote {customer.wamids}, heard {heard}, not {expected}; rows: {ours}"

    def _replies(self, customer: Customer) -> list[Any]:
        return self.query(_REPLIES, list(customer.wamids))

    def _unread(self) -> Iterable[str]:
        rows = self.query(_UNREAD)
        return (f"not read in the end (id, status, attempts, error, wamid): {row}" for row in rows)

    def _unfinished(self) -> str:
        return "\n".join(map(str, self.query(_UNFINISHED)))
