"""The types of nodes: one module each, found by being here."""

import importlib
import pkgutil

from apps.flows.nodes.base import nodes

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["nodes"]
