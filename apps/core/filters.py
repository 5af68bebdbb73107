"""The base of every list's filters."""

from typing import Any

import django_filters
from django.http import QueryDict

_UNSET = ("", "undefined", "null")  # how browsers spell a filter that is not set


class TolerantFilterSet(django_filters.FilterSet):
    """Filters of which those that say nothing are left out, and those that are wrong are named in a 400."""

    def __init__(self, data: QueryDict | None = None, *args: Any, **kwargs: Any) -> None:
        said = QueryDict(mutable=True)
        for name, values in (data or QueryDict()).lists():
            said.setlist(name, [value for value in values if value not in _UNSET])
        super().__init__(said, *args, **kwargs)
