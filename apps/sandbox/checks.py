"""Checks of single JSON values that answer with Meta's errors: 131008 for what is missing, 131009 for what is wrong."""

from typing import Any

from apps.sandbox.errors import GraphError


def required(container: dict[str, Any], name: str) -> Any:
    """The value under this name, which must be there."""
    value = container.get(name)
    if value is None:
        raise GraphError(131008, f"Parameter '{name}' is mandatory")
    return value


def object_in(container: dict[str, Any], name: str) -> dict[str, Any]:
    """The object under this name, which must be there."""
    value = required(container, name)
    if not isinstance(value, dict):
        raise GraphError(131009, f"Parameter '{name}' must be an object")
    return value


def objects_in(container: dict[str, Any], name: str, *, least: int, most: int) -> list[dict[str, Any]]:
    """The list of objects under this name, with so many items."""
    values = required(container, name)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise GraphError(131009, f"Parameter '{name}' must be a list of objects")
    if not least <= len(values) <= most:
        raise GraphError(131009, f"Invalid {name} count. Min allowed {name}: {least}, Max allowed {name}: {most}")
    return values


def text_in(container: dict[str, Any], name: str, *, most: int | None = None, label: str | None = None) -> str:
    """The text under this name, which must be there, not empty, and of `most` characters."""
    value = required(container, name)
    if not isinstance(value, str):
        raise GraphError(131009, f"Parameter '{name}' must be a string")
    if not value or (most is not None and len(value) > most):
        limit = "" if most is None else f", Max length: {most}"
        raise GraphError(131009, f"{label or name} length invalid. Min length: 1{limit}")
    return value


def optional_text_in(container: dict[str, Any], name: str, *, most: int, label: str | None = None) -> None:
    """The text under this name, of `most` characters if it is there."""
    if container.get(name) is not None:
        text_in(container, name, most=most, label=label)


def unique(values: list[str], label: str) -> None:
    """All different."""
    if len(set(values)) < len(values):
        raise GraphError(131009, f"Duplicated {label}")
