"""Golden transcripts: what a customer says and what a flow must answer, as `docs/flow-tests.md` describes them."""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from apps.conversations.channels import channels
from apps.core.errors import DomainError
from apps.flows import simulation
from apps.flows.memory import Moment, Person
from apps.flows.models import Chatbot, Flow
from apps.flows.simulation import DEFAULT_CHANNEL, Said, Stage
from apps.flows.stand_ins import Sample
from apps.flows.triggers import GlobalKeyword, Triggers

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""What time it is where a transcript does not say."""
_DURATION = re.compile(r"(\d{1,6}) (second|minute|hour|day)s?")


class InvalidTranscript(Exception):
    """A file that is no transcript, or whose flow is not there or cannot run; the words say where and why."""


class _Loader(yaml.SafeLoader):
    """YAML in which `no` and `14:30` are words, as in its version 1.2."""

    yaml_implicit_resolvers = {}


for _tag, _pattern, _first in (
    ("bool", "true|false", "tf"),
    ("null", "null|~|", ["n", "~", ""]),
    ("int", "-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


class _Dumper(yaml.SafeDumper):
    """YAML as people write it."""

    def represent_words(self, words: str) -> yaml.ScalarNode:
        """Several lines stand in a block."""
        return self.represent_scalar("tag:yaml.org,2002:str", words, style="|" if "\n" in words else None)


_Dumper.add_representer(str, _Dumper.represent_words)


def _heard(raw: Any) -> Any:
    """A file may be named by its type alone."""
    if not isinstance(raw, dict) or not isinstance(raw.get("file"), str):
        return raw
    rest = {key: value for key, value in raw.items() if key != "file"}
    return {**rest, "media": {"type": raw["file"], "url": f"https://files.example/{raw['file']}"}}


def _duration(raw: Any) -> timedelta:
    """`2 hours`."""
    match = _DURATION.fullmatch(str(raw))
    if match is None:
        raise ValueError("a time is written like `2 hours`: seconds, minutes, hours or days")
    return timedelta(**{f"{match[2]}s": int(match[1])})


class Step(BaseModel):
    """What happens: the customer says something, or time passes. And what must come of it."""

    model_config = ConfigDict(extra="forbid")

    customer: Annotated[Said, BeforeValidator(_heard)] | None = None
    waits: Annotated[timedelta, BeforeValidator(_duration)] | None = None
    bot: list[str | dict[str, Any]] = []
    variables: dict[str, Any] = {}
    hands_over: bool | str = False
    closes: bool = False
    problem: str = ""

    @model_validator(mode="after")
    def happen(self) -> Self:
        """One of both."""
        if (self.customer is None) == (self.waits is None):
            raise ValueError("a step says either what the customer says or how long it waits")
        return self


class Transcript(BaseModel):
    """A conversation with a flow."""

    model_config = ConfigDict(extra="forbid")

    flow: str
    """A file beside the transcript, or the id of a flow in the database."""
    flows: list[str] = []
    """The files of other flows of its chatbot."""
    channel: str = DEFAULT_CHANNEL
    now: Moment = NOW
    contact: Person = Person()
    variables: dict[str, Any] = {}
    """Of the flow, in place of those that it brings."""
    keywords: list[GlobalKeyword] = []
    """The words of its chatbot that count in any state."""
    samples: dict[str, Sample] = {}
    steps: list[Step] = Field(min_length=1)


@dataclass(frozen=True)
class File:
    """A transcript and where it stands."""

    path: Path
    text: str
    transcript: Transcript
    steps: list[dict[str, Any]]
    """As they are written, in the order of the fields."""

    def updated(self, steps: list[dict[str, Any]]) -> str:
        """Its text with other steps; what stands before them is kept as it is."""
        head = re.split(r"(?m)^steps:", self.text, maxsplit=1)[0]
        return head + dump({"steps": steps})


def dump(value: Any) -> str:
    """The value as YAML."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def read(path: Path) -> File:
    """The transcript in a file; InvalidTranscript if there is none."""
    try:
        text = path.read_text()
        document, words = yaml.load(text, _Loader), yaml.load(text, yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidTranscript(f"{path}: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
        raise InvalidTranscript(f"{path}: a transcript says `flow` and, last, `steps`.")
    if list(document)[-1] != "steps":
        raise InvalidTranscript(f"{path}: `steps` come last.")
    for step, spoken in zip(document["steps"], words["steps"], strict=True):
        if isinstance(step, dict):  # what people say is words, also where it looks like a number
            step.update({key: spoken[key] for key in ("customer", "bot") if key in spoken})
    try:
        transcript = Transcript.model_validate(document)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise InvalidTranscript(f"{path}: {found}") from None
    steps = [{name: step[name] for name in Step.model_fields if name in step} for step in document["steps"]]
    return File(path, text, transcript, steps)


def stage(file: File) -> Stage:
    """Where it plays; no database is needed if its flow is a file."""
    transcript = file.transcript
    if transcript.channel not in channels:
        raise InvalidTranscript(f"{file.path}: there is no channel {transcript.channel!r}.")
    try:
        if pk := _uuid(transcript.flow):
            return _stored(file, pk)
        keywords = [keyword.model_dump(mode="json") for keyword in transcript.keywords]
        chatbot = Chatbot(organization_id=uuid.UUID(int=0), name=file.path.stem, keywords=keywords)
        names = [transcript.flow, *transcript.flows]
        flows = [_flow(file.path.parent / name, chatbot) for name in names]
        flows[0].variables = {**flows[0].variables, **transcript.variables}
        return simulation.assemble(
            chatbot, flows, tried=flows[0].pk, channel=transcript.channel, samples=transcript.samples
        )
    except DomainError as error:
        raise InvalidTranscript(f"{file.path}: {error.message}") from None


def _stored(file: File, pk: uuid.UUID) -> Stage:
    flow = Flow.objects.present().select_related("chatbot").filter(pk=pk).first()
    if flow is None:
        raise InvalidTranscript(f"{file.path}: there is no flow {pk}.")
    return simulation.stage(flow, channel=file.transcript.channel, samples=file.transcript.samples)


def _flow(path: Path, chatbot: Chatbot) -> Flow:
    """The flow in a file: an export, a template of a gallery, a flow as the API tells it, or a mere canvas."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidTranscript(f"{path}: {error}") from None
    found = document if isinstance(document, dict) else {}
    inner = next((found[key] for key in ("flow", "flow_data") if isinstance(found.get(key), dict)), found)
    canvas, variables, triggers = inner.get("canvas_data", inner), inner.get("variables"), inner.get("triggers") or []
    if not isinstance(canvas, dict) or "nodes" not in canvas or not isinstance(variables or {}, dict):
        raise InvalidTranscript(f"{path}: there is no flow in this file.")
    try:
        Triggers.validate_python(triggers)
    except ValidationError as error:
        raise InvalidTranscript(f"{path}: its triggers cannot be read: {error.errors()[0]['msg']}") from None
    metadata = found.get("metadata") or {}
    named = str((isinstance(metadata, dict) and metadata.get("original_flow_id")) or inner.get("id"))
    return Flow(
        pk=_uuid(named) or uuid.uuid5(uuid.NAMESPACE_URL, path.name),
        organization_id=chatbot.organization_id,
        chatbot=chatbot,
        name=str(inner.get("name") or path.stem),
        canvas_data=canvas,
        variables=variables or {},
        triggers=triggers,
        inactivity_settings=inner.get("inactivity_settings"),
        window_expiry_settings=inner.get("window_expiry_settings"),
    )


def _uuid(words: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(words)
    except ValueError:
        return None
