"""Excel's functions, each module loaded when one of its functions is asked for (see ``runtime.registry.find``).

The text of the modules tells which of them registers a name; a name that no text shows (some are registered in loops)
makes all of them load. ``load_all`` does that at once: for processes that stay.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

from sheetrun.runtime import registry

_REGISTERED = re.compile(r'excel\(\s*"([A-Z][A-Z0-9_.]*)\(')
_SPELLINGS = re.compile(r"also=\(([^)]*)\)")


@cache
def _modules() -> dict[str, str]:
    """Names of functions -> names of modules, as far as the text of the modules shows."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__):
        loader = module.module_finder.find_spec(module.name, None)
        source = loader.loader.get_source(module.name) if loader and loader.loader else ""  # type: ignore[attr-defined]
        for name in _REGISTERED.findall(source):
            found[name] = module.name
        for also in _SPELLINGS.findall(source):
            found.update(dict.fromkeys(re.findall(r'"([^"]+)"', also), module.name))
    return found


def load(name: str) -> None:
    """Loads the module that registers a function, or all of them when that is not known."""
    module = _modules().get(name)
    if module is None:
        load_all()
    else:
        importlib.import_module(f"{__name__}.{module}")


@cache
def load_all() -> None:
    """Loads all modules."""
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")


registry.provide(load, load_all)
