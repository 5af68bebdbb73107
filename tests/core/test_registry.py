import pytest

from apps.core.registry import Registry


class Entry:
    key = "apple"


class Pear:
    key = "pear"


def test_an_entry_is_found_by_its_key() -> None:
    fruits: Registry = Registry("fruit")
    assert fruits.register(Entry) is Entry
    assert isinstance(fruits.get("apple"), Entry)
    assert fruits.get("apple") is fruits.get("apple")
    assert "apple" in fruits
    assert "pear" not in fruits


def test_two_entries_with_one_key_are_an_error_and_the_first_stays() -> None:
    fruits: Registry = Registry("fruit")
    fruits.register(Entry)
    first = fruits.get("apple")
    with pytest.raises(ValueError, match="Two fruit share the key 'apple'"):
        fruits.register(Entry)
    assert fruits.get("apple") is first


def test_an_unknown_key_names_the_known_ones_in_order() -> None:
    fruits: Registry = Registry("fruit")
    fruits.register(Pear)
    fruits.register(Entry)
    with pytest.raises(LookupError, match=r"No fruit 'fig'; known: \['apple', 'pear'\]"):
        fruits.get("fig")
    assert fruits.keys() == ["apple", "pear"]
