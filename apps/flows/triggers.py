"""What starts a flow besides being the main one, and the words that count in any state of a conversation."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter

from apps.flows import values

MAX_SECONDS = 0.05
"""That a regular expression may look at a message; a pattern that takes longer does not match."""


@dataclass(frozen=True)
class Heard:
    """What there is to recognise in a customer's message."""

    text: str = ""
    button: str = ""
    """The payload, else the words, of a template's button that they pressed."""
    referral: Mapping[str, Any] | None = None
    """The advertisement or link that they came by, as Meta describes it."""
    is_first: bool = False
    """Whether this contact never wrote before."""


class _Trigger(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(min_length=1, max_length=50)]


class Keyword(_Trigger):
    """Words that the customer writes, whatever their case and accents."""

    type: Literal["keyword"]
    keywords: Words
    match: Literal["exact", "starts", "contains"] = "exact"
    anytime: bool = False
    """Whether it also interrupts a flow that is running."""

    def fits(self, heard: Heard) -> bool:
        """Whether one of the words was written; `contains` looks for whole words."""
        said = values.plain(heard.text)
        for word in map(values.plain, self.keywords):
            if self.match == "exact" and said == word:
                return True
            if self.match == "starts" and (said == word or said.startswith(f"{word} ")):
                return True
            if self.match == "contains" and f" {word} " in f" {said} ":
                return True
        return False


def _readable(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return pattern


class Pattern(_Trigger):
    """A regular expression that matches somewhere in the message, in any case."""

    type: Literal["regex"]
    pattern: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_readable)]
    anytime: bool = False

    def fits(self, heard: Heard) -> bool:
        """Whether it matches in time."""
        try:
            return bool(heard.text) and bool(
                regex.search(self.pattern, heard.text[:4096], regex.IGNORECASE, timeout=MAX_SECONDS)
            )
        except TimeoutError:
            return False


class Referral(_Trigger):
    """The customer came by an advertisement or a link: any, or one whose source, reference or headline is named."""

    type: Literal["referral"]
    source_id: str = Field("", max_length=255)
    ref: str = Field("", max_length=255)
    anytime: bool = False

    def fits(self, heard: Heard) -> bool:
        """Whether they came by it."""
        if not heard.referral:
            return False
        asked = {"source_id": self.source_id, "ref": self.ref}
        return all(not value or str(heard.referral.get(name, "")) == value for name, value in asked.items())


class TemplateButton(_Trigger):
    """The customer pressed a button below a template: any, or the one with this payload or these words."""

    type: Literal["template_button"]
    payload: str = Field("", max_length=255, validation_alias=AliasChoices("payload", "button", "text"))
    anytime: bool = True

    def fits(self, heard: Heard) -> bool:
        """Whether it was pressed."""
        named = values.plain(self.payload)
        return bool(heard.button) and named in ("", values.plain(heard.button), values.plain(heard.text))


class FirstContact(_Trigger):
    """The customer never wrote before."""

    type: Literal["first_contact"]
    anytime: Literal[False] = False

    def fits(self, heard: Heard) -> bool:
        """Whether this is their first message."""
        return heard.is_first


Trigger = Annotated[Keyword | Pattern | Referral | TemplateButton | FirstContact, Field(discriminator="type")]
Triggers = TypeAdapter(Annotated[list[Trigger], Field(max_length=50)])


class GlobalKeyword(BaseModel):
    """Words that count in any state of a conversation with a chatbot, and what they do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Words
    action: Literal["menu", "exit", "human", "flow"]
    """Begin the main flow, end the one that runs, call a person, or begin another flow."""
    flow_id: uuid.UUID | None = None
    message: str = Field("", max_length=4096)
    """What is said before that."""

    def fits(self, heard: Heard) -> bool:
        """Whether the customer wrote one of the words, and nothing else."""
        return values.plain(heard.text) in map(values.plain, self.words)


GlobalKeywords = TypeAdapter(Annotated[list[GlobalKeyword], Field(max_length=50)])


class Variant(BaseModel):
    """One side of an A/B test."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    flow_id: uuid.UUID
    weight: float = Field(ge=0, le=1_000_000, allow_inf_nan=False)
    variant_name: str = Field("", max_length=100)


Variants = TypeAdapter(Annotated[list[Variant], Field(max_length=20)])


def cast(variants: Sequence[Variant], who: uuid.UUID) -> Variant | None:
    """The side on which somebody is: by weight, and for the same person always the same; None if none has a weight."""
    total = sum(variant.weight for variant in variants)
    if not total:
        return None
    place = int.from_bytes(hashlib.sha256(who.bytes).digest()[:8]) / 2**64 * total
    for variant in variants:
        place -= variant.weight
        if place < 0:
            return variant
    return next(variant for variant in reversed(variants) if variant.weight)
