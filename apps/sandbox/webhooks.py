"""The webhook sender: signs, posts, tries again, and is as unreliable as it is told to be."""

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from apps.sandbox import faults, payloads
from apps.sandbox.payloads import Update
from apps.sandbox.state import Sandbox

logger = logging.getLogger(__name__)

HOLD_SECONDS = 5.0  # how long a batch or a reordering waits for its size
NO_ANSWER = 0  # stands for an HTTP status when none came


@dataclass(frozen=True, slots=True)
class Post:
    """One body on its way to one address."""

    url: str
    secret: str
    body: Any
    kind: Literal["messages", "statuses"]
    customer: str
    updates: tuple[Update, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Updates that a fault holds back, until they are enough or the timer ends."""

    updates: list[Update]
    timer: asyncio.TimerHandle


class Sender:
    """Sends a sandbox's webhooks. Messages go alone; statuses that wait for a free connection go together."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.pending = 0  # whatever is scheduled, held, queued, on its way or to be tried again
        self._session: aiohttp.ClientSession | None = None
        self._queue: deque[Update] = deque()
        self._held: dict[type[faults.WebhookFault], Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._posters = 0
        self._generation = 0
        self._idle = asyncio.Event()

    async def close(self) -> None:
        """Drop what has not been sent, and the connections."""
        self.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def clear(self) -> None:
        """Drop what has not been sent."""
        self._generation += 1
        for task in self._tasks:
            task.cancel()
        for update in self._queue:
            _settle(update, [])
        self._tasks.clear()
        self._queue.clear()
        for held in self._held.values():
            held.timer.cancel()
        self._held.clear()
        self._posters = 0
        self._count(-self.pending)

    def schedule(self, delay: float, action: Callable[[], None]) -> None:
        """Do something after `delay` seconds, unless everything is dropped before."""
        delay += random.uniform(0, self.sandbox.settings.delay_jitter)
        if delay <= 0:
            action()
            return
        generation = self._generation
        self._count(1)

        def act() -> None:
            if generation == self._generation:
                action()
                self._count(-1)

        asyncio.get_running_loop().call_later(delay, act)

    def send(self, update: Update) -> None:
        """Send an update: now, or when a fault lets it go."""
        strike = self.sandbox.faults.strike
        if delay := strike(faults.Delay, customer=update.customer, on=update.kind):
            _settle(update, [])
            self.schedule(delay.seconds, lambda: self._enqueue(update))
        elif batch := strike(faults.Batch, customer=update.customer, on=update.kind):
            self._hold(faults.Batch, update, batch.size)
        elif reorder := strike(faults.Reorder, customer=update.customer, on=update.kind):
            self._hold(faults.Reorder, update, reorder.size)
        else:
            self._enqueue(update)

    def release(self) -> None:
        """Send what faults hold back."""
        for kind in list(self._held):
            self._release(kind)

    async def deliver(self, post: Post) -> list[int]:
        """Post a body, as the faults have it, and answer the HTTP statuses; what got no 200 is tried again later."""
        settings = self.sandbox.settings
        wire, to_sign = payloads.encode(post.body, settings.webhook_body)
        strike = self.sandbox.faults.strike
        if corrupt := strike(faults.Corrupt, customer=post.customer, on=post.kind):
            wire, headers = payloads.corrupt(corrupt.how, wire, to_sign, post.secret)
            return [await self._post(post, wire, headers)]
        headers = {"X-Hub-Signature-256": payloads.signature(post.secret, to_sign)}
        if duplicate := strike(faults.Duplicate, customer=post.customer, on=post.kind):
            answers = await asyncio.gather(*(self._post(post, wire, headers) for _ in range(1 + duplicate.copies)))
        else:
            answers = [await self._post(post, wire, headers)]
        if 200 in answers:
            self._mark(post, "delivered")
        else:
            self._count(1)
            self._spawn(self._retry(post, wire, headers))
        return answers

    async def wait_idle(self, seconds: float) -> None:
        """Return when nothing is pending, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.pending and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), left)

    async def verify(self, url: str, token: str) -> bool:
        """Ask an address for Meta's GET verification: whether it answers the challenge."""
        challenge = str(random.randrange(10**9, 10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        try:
            async with self._client().get(url, params=query, timeout=self._timeout()) as response:
                return response.status == 200 and await response.text() == challenge
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _count(self, change: int) -> None:
        self.pending += change
        if self.pending:
            self._idle.clear()
        else:
            self._idle.set()

    def _hold(self, kind: type[faults.WebhookFault], update: Update, size: int) -> None:
        _settle(update, [])
        self._count(1)
        held = self._held.get(kind)
        if held is None:
            timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._release, kind)
            held = self._held[kind] = Held([], timer)
        held.updates.append(update)
        if len(held.updates) >= size:
            self._release(kind)

    def _release(self, kind: type[faults.WebhookFault]) -> None:
        held = self._held.pop(kind)
        held.timer.cancel()
        one_by_one = [[update] for update in reversed(held.updates)]
        self._spawn(self._deliver_held([held.updates] if kind is faults.Batch else one_by_one))

    def _enqueue(self, update: Update) -> None:
        self._count(1)
        self._queue.append(update)
        if self._posters < self.sandbox.settings.webhook_concurrency:
            self._posters += 1
            self._spawn(self._work())

    async def _work(self) -> None:
        """Deliver from the queue until it is empty."""
        while self._queue:
            updates = [self._queue.popleft()]
            if updates[0].kind == "statuses":
                room = self.sandbox.settings.statuses_per_post - 1
                while room and self._queue and _go_together(updates[0], self._queue[0]):
                    updates.append(self._queue.popleft())
                    room -= 1
            await self._deliver(updates)
            self._count(-len(updates))
        self._posters -= 1

    async def _deliver(self, updates: list[Update]) -> None:
        first = updates[0]
        settings = self.sandbox.settings
        answers = await self.deliver(
            Post(
                url=first.number.webhook_url or settings.webhook_url,
                secret=first.number.app_secret or settings.app_secret,
                body=payloads.envelope(updates),
                kind=first.kind,
                customer=first.customer,
                updates=tuple(updates),
            )
        )
        for update in updates:
            _settle(update, answers)

    async def _deliver_held(self, bodies: list[list[Update]]) -> None:
        for updates in bodies:
            await self._deliver(updates)
            self._count(-len(updates))

    async def _post(self, post: Post, wire: bytes, headers: dict[str, str]) -> int:
        """Post these bytes once and answer the HTTP status."""
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua", **headers}
        started = time.monotonic()
        try:
            async with self._client().post(post.url, data=wire, headers=headers, timeout=self._timeout()) as response:
                await response.read()
                answer = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.warning("webhook got no answer: %s", type(error).__name__)
            answer = NO_ANSWER
        if self.sandbox.has_listeners():
            self.sandbox.publish(
                {
                    "type": "webhook",
                    "customer": post.customer,
                    "kind": post.kind,
                    "updates": len(post.updates) or 1,
                    "answer": answer,
                    "milliseconds": round((time.monotonic() - started) * 1000),
                }
            )
        return answer

    async def _retry(self, post: Post, wire: bytes, headers: dict[str, str]) -> None:
        """Post the same bytes again, with growing pauses, until they get a 200 or the period is over."""
        settings = self.sandbox.settings
        pause, deadline = settings.retry_pause, time.monotonic() + settings.retry_period
        while time.monotonic() + pause < deadline:
            await asyncio.sleep(pause)
            pause *= 2
            if await self._post(post, wire, headers) == 200:
                self._mark(post, "delivered")
                break
        else:
            self._mark(post, "failed")
        self._count(-1)

    def _mark(self, post: Post, status: str) -> None:
        """Note on the customers' messages whether the business has them."""
        if post.kind != "messages":
            return
        for update in post.updates:
            entry = self.sandbox.entries.get(update.item["id"])
            if entry is not None and entry.status == "pending":
                self.sandbox.mark(entry, status)

    def _client(self) -> aiohttp.ClientSession:
        """One session with kept connections, made at the first use: a mounted application may get no start."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session

    def _timeout(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=self.sandbox.settings.webhook_timeout)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _go_together(first: Update, other: Update) -> bool:
    """Whether two updates may share a body: both statuses, for the same address and secret."""
    return (
        other.kind == "statuses"
        and other.number.app_secret == first.number.app_secret
        and other.number.webhook_url == first.number.webhook_url
    )


def _settle(update: Update, answers: list[int]) -> None:
    if update.answers is not None and not update.answers.done():
        update.answers.set_result(answers)
