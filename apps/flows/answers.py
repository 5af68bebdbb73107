"""What counts as an answer to which kind of question, and what is kept of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from apps.flows import values
from apps.flows.effects import Choice

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_PHONE = re.compile(r"\+?[0-9 ().-]+")
_DATE = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2}|[0-9]{4})")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


@dataclass(frozen=True)
class Answer:
    """What the customer replied."""

    text: str = ""
    choice: str = ""
    """The id of the button or row that they chose; `text` is its title."""
    media: Mapping[str, Any] | None = None
    """The reference of a file that they sent; `text` is its caption."""


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    YES_NO = "yesno"
    CHOICE = "choice"
    FILE = "file"


class InvalidAnswer(ValueError):
    """This is no answer to the question; the words are for the customer, where the author wrote none."""


@dataclass(frozen=True)
class Demand:
    """What a question demands of its answer."""

    kind: Kind = Kind.TEXT
    choices: Sequence[Choice] = ()
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None


def read(answer: Answer, demand: Demand) -> Any:
    """The value to keep: a number, the id of a choice, a file's reference, else what the customer wrote."""
    if answer.media is None and not answer.text.strip() and not answer.choice:
        if demand.required:
            raise InvalidAnswer("Por favor, envie uma resposta.")
        return ""
    return _READERS[demand.kind](answer, demand)


def _text(answer: Answer, demand: Demand) -> Any:
    if answer.media is not None:
        return dict(answer.media)
    if answer.choice and (chosen := _chosen(answer, demand.choices)):
        return chosen
    text = answer.text.strip()
    if demand.min_length is not None and len(text) < demand.min_length:
        raise InvalidAnswer(f"A resposta deve ter pelo menos {demand.min_length} caracteres.")
    if demand.max_length is not None and len(text) > demand.max_length:
        raise InvalidAnswer(f"A resposta deve ter no máximo {demand.max_length} caracteres.")
    return text


def _number(answer: Answer, demand: Demand) -> int | float:
    number = values.number(answer.text)
    if number is None:
        raise InvalidAnswer("Por favor, envie um número válido.")
    if demand.minimum is not None and number < demand.minimum:
        raise InvalidAnswer(f"O número deve ser no mínimo {demand.minimum:g}.")
    if demand.maximum is not None and number > demand.maximum:
        raise InvalidAnswer(f"O número deve ser no máximo {demand.maximum:g}.")
    return number


def _email(answer: Answer, demand: Demand) -> str:
    text = answer.text.strip()
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise InvalidAnswer("Por favor, envie um e-mail válido.")
    return text


def _phone(answer: Answer, demand: Demand) -> str:
    text = answer.text.strip()
    if not _PHONE.fullmatch(text) or not 10 <= sum(character.isdigit() for character in text) <= 15:
        raise InvalidAnswer("Por favor, envie um telefone válido, com DDD.")
    return text


def _date(answer: Answer, demand: Demand) -> str:
    text = answer.text.strip()
    if match := _DATE.fullmatch(text):
        day, month, year = map(int, match.groups())
        year += 2000 if year < 100 else 0
    elif match := _ISO_DATE.fullmatch(text):
        year, month, day = map(int, match.groups())
    else:
        raise InvalidAnswer("Por favor, envie uma data válida, como 31/12/2026.")
    try:
        date(year, month, day)
    except ValueError:
        raise InvalidAnswer("Por favor, envie uma data válida, como 31/12/2026.") from None
    return text


def _yes_no(answer: Answer, demand: Demand) -> str:
    if values.truth(answer.text) is None and values.truth(answer.choice) is None:
        raise InvalidAnswer("Por favor, responda sim ou não.")
    return answer.text.strip() or answer.choice


def _choice(answer: Answer, demand: Demand) -> str:
    chosen = _chosen(answer, demand.choices)
    if chosen is None:
        raise InvalidAnswer("Por favor, escolha uma das opções.")
    return chosen


def _file(answer: Answer, demand: Demand) -> dict[str, Any]:
    if answer.media is None:
        raise InvalidAnswer("Por favor, envie um arquivo.")
    return dict(answer.media)


def _chosen(answer: Answer, choices: Sequence[Choice]) -> str | None:
    """The id of the choice that was meant: by its button, its id, its title or, last, its place in the list."""
    said = values.fold(answer.text)
    places = {choice.id: (values.fold(choice.id), values.fold(choice.title)) for choice in choices}
    if answer.choice in places:
        return answer.choice
    for identifier, names in places.items():
        if said in names:
            return identifier
    if said.isdecimal() and len(said) < 6 and 1 <= int(said) <= len(choices):
        return choices[int(said) - 1].id
    return None


_READERS: dict[Kind, Callable[[Answer, Demand], Any]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.DATE: _date,
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: _choice,
    Kind.FILE: _file,
}
