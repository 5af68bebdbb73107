"""JSON that an author writes with `{{variables}}` in its texts."""

import json
import re
from collections.abc import Mapping
from typing import Any

from apps.core.templating import Path, Template, TemplateError

MAX_DEPTH = 32
MAX_TEXTS = 500
_WHOLE = re.compile(r"\s*\{\{[^{}]*\}\}\s*")


def read(raw: Any) -> Any:
    """The same JSON with a Template for each of its texts; ValueError if one cannot be read, or there is too much."""
    texts = 0

    def each(value: Any, depth: int) -> Any:
        nonlocal texts
        if depth > MAX_DEPTH:
            raise ValueError(f"there are more than {MAX_DEPTH} levels within each other")
        if isinstance(value, dict):
            return {str(key): each(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [each(inner, depth + 1) for inner in value]
        if not isinstance(value, str):
            return value
        texts += 1
        if texts > MAX_TEXTS:
            raise ValueError(f"there are more than {MAX_TEXTS} texts")
        return Template(value)

    return each(raw, 0)


def fill(tree: Any, variables: Mapping[str, Any]) -> Any:
    """What `read` gave, with the variables in it."""
    if isinstance(tree, dict):
        return {key: fill(inner, variables) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [fill(inner, variables) for inner in tree]
    return look_up(tree, variables, "") if isinstance(tree, Template) else tree


def look_up(template: Template, variables: Mapping[str, Any], missing: Any) -> Any:
    """The variable itself, whatever its type, where the words are nothing but its name in braces; else the words."""
    if _WHOLE.fullmatch(template.source):
        try:
            return Path(template.source).find(variables)
        except (LookupError, TemplateError):  # no such variable, or more than a name: `{{ name | upcase }}`
            return template.render(variables) or missing
    return template.render(variables)


def dump(value: Any, limit: int) -> str:
    """The value as JSON of so many characters at most; TemplateError if it cannot be that."""
    parts, size = list[str](), 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False, allow_nan=False).iterencode(value):
            parts.append(part)
            size += len(part)
            if size > limit:
                break
    except (TypeError, ValueError, RecursionError):
        raise TemplateError("There is something in the variables that JSON cannot say.") from None
    if size > limit:
        raise TemplateError(f"With its variables this is longer than {limit:,} characters.")
    return "".join(parts)
