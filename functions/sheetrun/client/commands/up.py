"""``sheetrun up``: a whole service on this machine, with no Docker, account or token; Ctrl-C stops it.

With --json, the first line of stdout is {"url": …, "key": …} once it is ready. With --data DIR it remembers its jobs.
Every limit of the service can be chosen: --set max_jobs=50, or SHEETRUN_MAX_JOBS=50 in the environment; those that hold
are told at the start.
"""

from __future__ import annotations

import argparse
import difflib
import json
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from sheetrun.client.console import Usage, say
from sheetrun.client.errors import SheetrunError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=None, help="where to listen on 127.0.0.1 (default: 4566, or any if taken)"
    )
    parser.add_argument("--data", metavar="DIR", help="keep jobs and results here between runs")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="a setting: max_jobs=50")
    parser.add_argument("--json", action="store_true", help="print the address and the key as JSON when ready")
    parser.add_argument("--sample", metavar="FILE", nargs="?", const="", help="submit a workbook first (default: ours)")


def run(arguments: argparse.Namespace) -> int:
    sample = find_sample(arguments.sample) if arguments.sample is not None else None
    options: dict[str, Any] = {"tell": _tell}
    if arguments.port is not None:
        if not 0 <= arguments.port <= 65535:
            raise Usage("--port is a number from 0 to 65535")
        options["port"] = arguments.port
    if arguments.data is not None:
        options["data_dir"] = Path(arguments.data)
    if arguments.set:
        options["parameters"] = _parameters(arguments.set)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        from sheetrun import local

        running = local.up(**options)
        try:
            if arguments.json:
                print(json.dumps({"url": running.url, "key": running.key}), flush=True)
            else:
                print(ready_text(running.url, running.key), flush=True)
            if sample is not None:
                from sheetrun.client.sample import run_sample

                run_sample(running.url, running.key, sample)
            while running.alive:
                threading.Event().wait(1.0)
            raise Ended(f"the service has ended by itself; its log: {running.log}")
        except KeyboardInterrupt:
            say("\nsheetrun: stopping")
        finally:
            running.stop()
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 0


def _parameters(settings: list[str]) -> dict[str, str]:
    """Template parameters of ``--set``. Raises Usage."""
    from sheetrun.local.configuring import limit_names, parameter_name

    found = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or name not in limit_names():
            near = difflib.get_close_matches(name, limit_names(), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Usage(f"--set {text!r}: NAME=VALUE, with the name of a setting{hint}")
        found[parameter_name(name)] = value
    return found


class Ended(SheetrunError):
    """The emulator is gone."""


def _tell(text: str) -> None:
    say(f"sheetrun: {text}")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def find_sample(given: str) -> Path:
    """The file, or the workbook in ``examples/`` of the source tree. Raises Usage."""
    path = Path(given) if given else Path(__file__).parents[4] / "examples" / "solar_farm.xlsx"
    if not path.is_file():
        raise Usage(f"no such file: {path}; name one with --sample FILE" if not given else f"no such file: {path}")
    return path


def ready_text(url: str, key: str) -> str:
    """What a person needs next, ready to be copied."""
    return (
        f"Sheetrun listens on {url}\n\n"
        f"  export SHEETRUN_URL={url}\n"
        f"  export SHEETRUN_KEY={key}\n"
        f"  sheetrun submit model.xlsx --wait\n"
        f"  sheetrun keys create NAME      (a key for another client)\n\n"
        f"Ctrl-C stops it."
    )
