"""A named set of singletons that lower apps declare and upper apps fill."""

from typing import Generic, Protocol, TypeVar


class Keyed(Protocol):
    """Whatever can stand in a registry: a class with a `key`, made without arguments."""

    key: str


T = TypeVar("T", bound=Keyed)


class Registry(Generic[T]):
    """A set of singletons, filled by decorating classes that have a `key`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: dict[str, T] = {}

    def register(self, cls: type[T]) -> type[T]:
        """Add one instance of the class; two with the same key is a ValueError."""
        if cls.key in self._entries:
            raise ValueError(f"Two {self.name} share the key {cls.key!r}.")
        self._entries[cls.key] = cls()
        return cls

    def get(self, key: str) -> T:
        """The entry with this key; LookupError names the known ones."""
        try:
            return self._entries[key]
        except KeyError:
            raise LookupError(f"No {self.name} {key!r}; known: {sorted(self._entries)}.") from None

    def keys(self) -> list[str]:
        """The keys of all entries, sorted."""
        return sorted(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries
