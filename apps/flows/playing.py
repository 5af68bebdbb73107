"""Plays transcripts, and compares what came with what was expected."""

import difflib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.conversations.channels import Content
from apps.flows import simulation, transcripts
from apps.flows.effects import HandOver
from apps.flows.memory import Memory
from apps.flows.simulation import Simulated, Stage
from apps.flows.transcripts import File, InvalidTranscript, Step

MAX_WAKES = 1000
"""How often the time that a flow waits for may come within one step."""
_MEDIA = frozenset(["image", "video", "audio", "document"])


@dataclass(frozen=True)
class Played:
    """A transcript as it is written, and with what really came."""

    file: File
    steps: Sequence[Mapping[str, Any]]

    @property
    def passes(self) -> bool:
        """Whether both are the same."""
        return list(self.steps) == self.file.steps

    def diff(self) -> str:
        """What was expected (-) and what came (+)."""
        expected, came = (transcripts.dump(list(steps)).splitlines() for steps in (self.file.steps, self.steps))
        name = self.file.path
        return "\n".join(
            difflib.unified_diff(expected, came, fromfile=f"{name} (expected)", tofile=f"{name} (came)", lineterm="")
        )


def play(file: File) -> Played:
    """Let the customer talk with the flow."""
    stage = transcripts.stage(file)
    transcript = file.transcript
    memory, now = Memory(conversation=uuid.UUID(int=1), person=transcript.contact), transcript.now
    steps = []
    for written, step in zip(file.steps, transcript.steps, strict=True):
        came, now = _happen(stage, memory, step, now)
        memory = came[-1].memory if came else memory
        steps.append(_told(written, step, came))
    return Played(file, steps)


def _happen(stage: Stage, memory: Memory, step: Step, now: datetime) -> tuple[list[Simulated], datetime]:
    """What comes of one step, and the time after it."""
    if step.waits is None:
        return [simulation.turn(stage, memory, step.customer, now=now)], now
    end = now + step.waits
    came: list[Simulated] = []
    while memory.wakes_at and memory.wakes_at <= end:
        if len(came) == MAX_WAKES:
            raise InvalidTranscript(f"The flow wakes more than {MAX_WAKES} times in one step.")
        came.append(simulation.wake(stage, memory, now=now))
        memory = came[-1].memory
    return came, end


def _told(written: Mapping[str, Any], step: Step, came: Sequence[Simulated]) -> dict[str, Any]:
    """The step with what came in place of what was expected, in as many words as it was expected."""
    contents = [content for one in came for content in one.messages]
    expected = [*step.bot, *[None] * len(contents)]
    bot = [_as_expected(_form(content), wish) for content, wish in zip(contents, expected, strict=False)]
    known = came[-1].variables if came else {}
    hand_over = next((one.hand_over for one in came if one.hand_over), None)
    told: dict[str, Any] = {
        "bot": bot,
        "variables": {name: known.get(name) for name in step.variables},
        "hands_over": _taker(hand_over, step.hands_over),
        "closes": any(one.closes for one in came),
        "problem": next((one.problem for one in came if one.problem), ""),
    }
    return {key: value for key, value in {**written, **told}.items() if value or key in written}


def _taker(hand_over: HandOver | None, expected: bool | str) -> bool | str:
    """Who takes over, by the name that the flow gives; True where it gives none, or nothing but True is expected."""
    if hand_over is None:
        return False
    name = hand_over.agent or hand_over.queue or hand_over.department
    return True if expected is True or not name else name


def _as_expected(form: dict[str, Any], wish: str | dict[str, Any] | None) -> str | dict[str, Any]:
    """A message in the words of the expectation: mere words, or those of its parts that are asked for."""
    if isinstance(wish, str) or (wish is None and form.keys() == {"text"}):
        return str(form.get("text", form))
    asked = {key: form[key] for key in wish if key in form} if wish else form
    return asked or form


def _form(content: Content) -> dict[str, Any]:
    """A message in its parts."""
    body = content.body
    match content.type:
        case "text":
            return {"text": body["text"]}
        case "template":
            return {"template": body["name"], "language": body["language"]}
        case "interactive":
            return {"text": body["body"]["text"], **_choices(body["action"]), **_edges(body)}
        case type if type in _MEDIA:
            words = {"text": body["caption"]} if body.get("caption") else {}
            return {"media": type, "url": body["url"], **words}
    return {content.type: body}


def _choices(action: Mapping[str, Any]) -> dict[str, Any]:
    if "buttons" in action:
        return {"buttons": [button["reply"]["title"] for button in action["buttons"]]}
    return {"list": [row["title"] for section in action["sections"] for row in section["rows"]]}


def _edges(body: Mapping[str, Any]) -> dict[str, str]:
    return {name: body[name]["text"] for name in ("header", "footer") if name in body}
