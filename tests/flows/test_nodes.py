from pathlib import Path

from apps.flows.nodes import nodes
from apps.flows.nodes.base import Node


def _every() -> list[Node]:
    return list(map(nodes.get, nodes.keys()))


def test_every_node_has_a_module_and_a_test_module_of_its_own() -> None:
    tested = (Path(__file__).parent / "nodes").glob("test_*.py")
    assert sorted(path.stem for path in tested) == [f"test_{node.key}" for node in _every()]
    assert [type(node).__module__ for node in _every()] == [f"apps.flows.nodes.{node.key}" for node in _every()]


def test_no_two_nodes_share_a_name() -> None:
    names = [name for node in _every() for name in (node.key, *node.aliases)]
    assert len(set(names)) == len(names)
