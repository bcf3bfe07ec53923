"""Excel's functions, each module loaded when one of its functions is asked for (see ``runtime.registry.find``).

A table tells which module registers a name (``where``); a name that is not in it is known to none. ``load_all`` loads
all of them at once: for processes that stay.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from sheetrun.runtime import registry
from sheetrun.runtime.functions.where import WHERE


@cache
def _modules() -> dict[str, str]:
    """Names of functions -> names of modules."""
    found: dict[str, str] = {}
    module = ""
    for line in WHERE.splitlines():
        names = line.split()
        if not line.startswith(" "):
            module = names.pop(0) if names else ""
        found.update(dict.fromkeys(names, module))
    return found


def load(name: str) -> None:
    """Loads the module that registers a function, if there is one."""
    module = _modules().get(name)
    if module is not None:
        importlib.import_module(f"{__name__}.{module}")


@cache
def load_all() -> None:
    """Loads all modules."""
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")


registry.provide(load, load_all)
