"""Many customers who write at once, through a sender that tries again until it hears 200, as Meta does."""

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from apps.meta import signatures
from apps.sandbox.settings import DEFAULT_NUMBER
from tests.support.kits import WhatsAppKit

KIT = WhatsAppKit()
NO_ANSWER = 0  # stands for an HTTP status when none came
RETRY_SECONDS = 0.1
GIVE_UP_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What one attempt to deliver a webhook got, after how many seconds, and when it was made."""

    wamid: str
    status: int
    seconds: float
    at: float


@dataclass(frozen=True)
class Customer:
    """A person who writes several messages, each once the one before has been acknowledged."""

    phone: str
    wamids: tuple[str, ...]

    def words(self, place: int) -> str:
        """What the message at this place says."""
        return f"{self.phone[-4:]} mensagem {place}"

    @property
    def replies(self) -> list[str]:
        """What the chatbot should answer, in order."""
        return ["eco:", *(f"eco: {self.words(place)}" for place in range(1, len(self.wamids)))]

    def webhook(self, place: int) -> bytes:
        """The body that carries the message at this place."""
        item = KIT.text(self.wamids[place], self.words(place), customer=self.phone)
        return json.dumps(KIT.webhook(DEFAULT_NUMBER.phone_number_id, item)).encode()


def customers(count: int, messages: int) -> list[Customer]:
    """People whom nobody has met before."""
    first = uuid.uuid4().int % 10**6 * 100
    return [
        Customer(f"5511{900000000 + first + number}", tuple(f"wamid.{uuid.uuid4().hex}" for _ in range(messages)))
        for number in range(count)
    ]


@dataclass
class Crowd:
    """Customers who write to a webhook address, and the answers that their messages' webhooks got."""

    url: str
    secret: str
    customers: list[Customer]
    seconds: float  # over which each of them spreads their messages
    seed: float
    answers: list[Answer] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> set[str]:
        """The messages whose webhooks were answered 200."""
        return {answer.wamid for answer in self.answers if answer.status == 200}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """They write while the context lasts; it ends when every message has been acknowledged."""
        threads = [threading.Thread(target=self._write, args=(customer,)) for customer in self.customers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()
        assert not self.given_up, f"not acknowledged within {GIVE_UP_SECONDS} s: {self.given_up}"

    def write(self) -> None:
        """They write, and nothing else happens."""
        with self.writing():
            pass

    def post(self, session: requests.Session, wamid: str, body: bytes) -> int:
        """Deliver a webhook once; the HTTP status, or NO_ANSWER."""
        headers = {"X-Hub-Signature-256": signatures.sign(body, self.secret), "Content-Type": "application/json"}
        at = time.monotonic()
        try:
            status = session.post(self.url, data=body, headers=headers, timeout=20).status_code
        except requests.RequestException:
            status = NO_ANSWER
        self.answers.append(Answer(wamid, status, time.monotonic() - at, at))
        return status

    def _write(self, customer: Customer) -> None:
        chance = random.Random(f"{self.seed} {customer.phone[-2:]}")
        pause = 2 * self.seconds / len(customer.wamids)
        with requests.Session() as session:
            for place, wamid in enumerate(customer.wamids):
                time.sleep(chance.uniform(0, pause))
                body = customer.webhook(place)
                deadline = time.monotonic() + GIVE_UP_SECONDS
                while self.post(session, wamid, body) != 200:
                    if time.monotonic() > deadline:
                        self.given_up.append(wamid)
                        return
                    time.sleep(RETRY_SECONDS)
