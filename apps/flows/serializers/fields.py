"""What the fields of chatbots and flows have in common: JSON of a certain shape, kept as it came."""

from collections.abc import Iterable
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema_field
from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as PydanticError
from rest_framework import serializers, status
from rest_framework.exceptions import APIException

MAX_CANVAS = 10 * 1024 * 1024  # bytes
MAX_DEPTH = 100


class CanvasTooLarge(APIException):
    """More than 10 MB of canvas."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "canvas_too_large"
    default_detail = "A canvas may be up to 10 MB."


@extend_schema_field({"type": "object", "additionalProperties": {}})
class ObjectField(serializers.JSONField):
    """A JSON object, kept verbatim."""

    default_error_messages = {
        "not_an_object": "This must be a JSON object.",
        "too_deep": f"Objects and lists may be nested {MAX_DEPTH} deep.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object as it came."""
        if not isinstance(data, dict):
            self.fail("not_an_object")
        level: list[Any] = [data]
        for _ in range(MAX_DEPTH):
            level = [inner for outer in level for inner in _within(outer)]
        if level:
            self.fail("too_deep")
        return data


def _within(value: Any) -> Iterable[Any]:
    """What is in an object or a list, a level below."""
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class CanvasField(ObjectField):
    """What a builder drew: nodes, edges and whatever else it keeps there; up to 10 MB, kept verbatim."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The canvas as it came."""
        canvas = super().to_internal_value(data)
        if len(orjson.dumps(canvas)) > MAX_CANVAS:
            raise CanvasTooLarge
        return canvas


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class ShapedListField(serializers.JSONField):
    """A list of objects that a pydantic adapter reads; kept as it came."""

    def __init__(self, shape: TypeAdapter[Any], **kwargs: Any) -> None:
        self.shape = shape
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """What the shape says of it, as JSON."""
        read_shape(self.shape, data)
        found: list[dict[str, Any]] = data
        return found


class ShapedObjectField(ObjectField):
    """An object that a pydantic model reads; kept as it came."""

    def __init__(self, shape: type[BaseModel], **kwargs: Any) -> None:
        self.shape = shape
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object as it came, if the model can read it."""
        found = super().to_internal_value(data)
        read_shape(TypeAdapter(self.shape), found)
        return found


def read_shape(shape: TypeAdapter[Any], data: Any) -> Any:
    """What the shape makes of the data; ValidationError says which parts do not fit."""
    try:
        return shape.validate_python(data)
    except PydanticError as error:
        raise serializers.ValidationError(
            [f"{'.'.join(map(str, one['loc'])) or 'value'}: {one['msg']}" for one in error.errors()[:10]]
        ) from None
