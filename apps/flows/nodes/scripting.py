"""What nodes that run an author's script have in common."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from apps.core.templating import TemplateError
from apps.flows.calls import Result, Script
from apps.flows.nodes import calling

MAX_CODE = 100_000  # characters
MAX_VARIABLES = 512 * 1024  # characters of JSON

_NAME = re.compile(r"[^\W\d_][\w-]{0,99}")
_NEVER = frozenset(["contact", "conversation", "secrets"])


def _language(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, str) and word.startswith("py"):
        raise ValueError("Python cannot be run safely; write it in JavaScript")
    return "javascript" if word in ("js", "ecmascript", "node", "nodejs") else word


class Config(calling.Config):
    """A script, and where its value is kept."""

    language: Annotated[Literal["javascript"], BeforeValidator(_language)] = Field(
        "javascript", validation_alias=AliasChoices("language", "scriptLanguage", "script_language")
    )
    code: str = Field(max_length=MAX_CODE, validation_alias=AliasChoices("code", "scriptCode", "script", "script_code"))
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False), calling.seconds(0.05, 30, above=120)] = 5.0


def script(config: Config, variables: Mapping[str, Any]) -> Script:
    """The script, with all variables that are plain; TemplateError if they are too much."""
    given, size = dict[str, Any](), 0
    for name, value in variables.items():
        try:
            words = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            continue
        size += len(name) + len(words)
        if size > MAX_VARIABLES:
            raise TemplateError(f"The variables are longer than {MAX_VARIABLES:,} characters: too much for a script.")
        given[name] = value
    return Script(config.code, given, config.timeout)


def keep(config: Config, result: Result) -> dict[str, Any]:
    """The variables that it sets: those that it assigned, the keys of an object that it returned, and its value."""
    returned = result.value if isinstance(result.value, dict) else {}
    kept = {
        name: value
        for name, value in {**result.assigned, **returned}.items()
        if _NAME.fullmatch(name) and name not in _NEVER
    }
    return {**kept, config.variable: result.value} if config.variable else kept
