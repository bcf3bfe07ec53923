"""The file that the sandbox's fresh interpreter is started with: finds the imports, then serves jobs (``serving``).

``python -I -S -B child.py JSON``, with ``path`` (for ``sys.path``), ``preload`` (modules), ``whole`` (with their packages)
and ``control`` (a socket's descriptor). The environment is empty but for what tames libraries (``bare``): no secret was
ever here.
"""

from __future__ import annotations

import gc
import importlib
import json
import socket
import sys


def main() -> None:
    setting = json.loads(sys.argv[1])
    sys.path[:0] = setting["path"]
    layers = importlib.import_module("sheetrun.sandbox.layers")
    serving = importlib.import_module("sheetrun.sandbox.serving")
    worker = importlib.import_module("sheetrun.sandbox.worker")
    for step in (layers.close_memory, layers.adopt_orphans):
        try:
            step()
        except (layers.Unavailable, OSError):
            continue  # each job reports its own layers; the probe looks at the effect
    for name in setting["preload"]:
        worker.bring_in(name, whole=setting["whole"])
    control = socket.socket(fileno=setting["control"])
    serving.silence()
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page of what is shared
    control.sendall(b"H")
    serving.serve(control)


if __name__ == "__main__":
    main()
