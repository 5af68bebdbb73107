"""From webhook to reply: contacts write, a chatbot repeats their words, and the sandbox's Graph notes what arrives.

At full speed every contact writes again as soon as its last message but one is answered. At ease, all of them together
write a fixed number of messages a second.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from bench import load, usage, webhooks
from bench.company import ECHO
from bench.system import System

CONTACTS = 200
CONNECTIONS = 32
OUTSTANDING = 2  # messages that a contact has written and not seen answered
ROUNDS = 34  # a contact's messages at full speed; WhatsApp takes no more than 45 replies to one contact at once
PACE = 100  # messages a second, at ease
PATIENCE = 30.0  # seconds without any reply, after which what is missing counts as lost
POLL_SECONDS = 0.02


@dataclass
class Passage:
    """One run of contacts writing, and what came of it."""

    written_at: dict[tuple[str, int], float] = field(default_factory=dict)
    replied: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    order: dict[str, list[int]] = field(default_factory=dict)
    refused: int = 0
    misrouted: int = 0
    processor: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time that it took, by program."""

    @property
    def latencies(self) -> list[float]:
        """Seconds from a webhook's first byte to the reply at Graph."""
        return [times[0] - self.written_at[key] for key, times in self.replied.items()]

    @property
    def per_second(self) -> float:
        """Replies a second, from the first webhook to the last reply."""
        last = max(time for times in self.replied.values() for time in times)
        return len(self.replied) / (last - min(self.written_at.values()))

    def faults(self) -> dict[str, int]:
        """What must not be: each count is to be 0."""
        return {
            "refused": self.refused,
            "lost": len(self.written_at.keys() - self.replied.keys()),
            "doubled": sum(len(times) - 1 for times in self.replied.values()),
            "misrouted": self.misrouted,
            "out of order": sum(1 for numbers in self.order.values() if numbers != sorted(numbers)),
        }


async def measure(system: System, *, seconds: float, contacts: int = CONTACTS) -> tuple[Passage, Passage]:
    """At full speed, then at ease, each for so many seconds."""
    async with Meta(system, contacts) as meta:
        await meta.greet()
        pids = system.pids()
        before = usage.processor(pids)
        full_speed = await meta.at_full_speed(seconds)
        full_speed.processor = {name: used - before[name] for name, used in usage.processor(pids).items()}
        at_ease = await meta.at_ease(seconds)
    return full_speed, at_ease


class Meta:
    """Meta's part: posts the contacts' webhooks, and sees the replies in the sandbox."""

    def __init__(self, system: System, contacts: int) -> None:
        self._system = system
        self._contacts = [f"55119{10_000_000 + number}" for number in range(contacts)]
        self._numbers: Counter[str] = Counter()
        self._free: asyncio.Queue[load.Connection] = asyncio.Queue()
        self._passage = Passage()
        self._seen = 0

    async def __aenter__(self) -> "Meta":
        for connection in await load.connect(self._system.port, CONNECTIONS):
            self._free.put_nowait(connection)
        self._session = aiohttp.ClientSession(f"http://127.0.0.1:{self._system.sandbox_port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        while not self._free.empty():
            self._free.get_nowait().close()
        await self._session.close()

    async def greet(self) -> None:
        """Every contact's first message, which begins its session; not measured."""
        for contact in self._contacts:
            await self._write(contact, 0)
        while self._seen < len(self._contacts):
            await self._look(lambda contact: None)

    async def at_full_speed(self, seconds: float) -> Passage:
        """Every contact writes as soon as it may, for so many seconds or so many rounds."""
        passage = self._passage = Passage()
        until = time.monotonic() + seconds
        left = Counter(dict.fromkeys(self._contacts, ROUNDS))
        waiting: set[asyncio.Task[None]] = set()

        def write(contact: str) -> None:
            if left[contact] and time.monotonic() < until:
                left[contact] -= 1
                task = asyncio.create_task(self._write_next(contact))
                waiting.add(task)
                task.add_done_callback(waiting.discard)

        for contact in self._contacts * OUTSTANDING:
            write(contact)
        await self._look_until_answered(passage, write, waiting)
        return passage

    async def at_ease(self, seconds: float) -> Passage:
        """The contacts write in turn, PACE messages a second."""
        passage = self._passage = Passage()

        async def write() -> None:
            started = time.monotonic()
            for number in range(int(seconds * PACE)):
                await asyncio.sleep(started + number / PACE - time.monotonic())
                await self._write_next(self._contacts[number % len(self._contacts)])

        writer = asyncio.create_task(write())
        await self._look_until_answered(passage, lambda contact: None, {writer})
        return passage

    async def _look_until_answered(
        self, passage: Passage, answered: Callable[[str], None], waiting: set[asyncio.Task[None]]
    ) -> None:
        last, last_at = 0, time.monotonic()
        while any(not task.done() for task in waiting) or len(passage.replied) < len(passage.written_at):
            await self._look(answered)
            if len(passage.replied) != last:
                last, last_at = len(passage.replied), time.monotonic()
            if time.monotonic() - last_at > PATIENCE:
                return

    async def _write_next(self, contact: str) -> None:
        self._numbers[contact] += 1
        await self._write(contact, self._numbers[contact])

    async def _write(self, contact: str, number: int) -> None:
        """Post a contact's message; returns once it is on its way."""
        connection = await self._connection()
        passage = self._passage
        body = webhooks.text_message(contact, f"{contact} {number}")
        request = webhooks.request(body, secret=self._system.secret)
        if number:
            passage.written_at[contact, number] = time.time()

        def answered(status: int, _: float) -> None:
            passage.refused += status != 200
            self._free.put_nowait(connection)

        connection.send(request, answered)

    async def _connection(self) -> load.Connection:
        """A free connection; the server closes those that are idle for some seconds."""
        connection = await self._free.get()
        if not connection.is_open:
            [connection] = await load.connect(self._system.port, 1)
        return connection

    async def _look(self, answered: Callable[[str], None]) -> None:
        """See what has arrived at Graph since the last look; waits a moment for something."""
        query: dict[str, float] = {"since": self._seen, "at_least": self._seen + 1, "timeout": 0.5}
        async with self._session.get("/api/sent", params=query) as response:
            arrived = await response.json()
        for sent in arrived:
            self._seen += 1
            self._note(sent["to"], sent["body"]["text"]["body"].removeprefix(ECHO), sent["time"])
            answered(sent["to"])
        await asyncio.sleep(POLL_SECONDS)

    def _note(self, to: str, text: str, at: float) -> None:
        contact, _, number = text.partition(" ")
        if not number:
            return  # the greeting
        passage = self._passage
        if contact != to:
            passage.misrouted += 1
            return
        passage.replied.setdefault((to, int(number)), []).append(at)
        passage.order.setdefault(to, []).append(int(number))
