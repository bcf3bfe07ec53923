"""The command line ``sheetrun``: finds the command, runs it, and turns every error into one line and an exit code.

0 done, 1 the work failed, 2 wrong usage, 130 interrupted. ``SHEETRUN_DEBUG=1`` shows tracebacks.

A command that computes starts this program twice (``bare.shed``): what only the second one needs is imported late.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sheetrun.sandbox.bare import shed

#: Commands that run scripts: they begin again without the environment, so that the sandbox may be a fork of them.
_COMPUTING = ("run", "check", "scenarios", "report", "bundle")

_ROOM = 1 << 15  #: places of 8 bytes


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code. ``argv``: instead of this process's own; then the process is not ours,
    and stays as it is."""
    words = sys.argv[1:] if argv is None else list(argv)
    if argv is not None:
        return _run(words)
    if _computes(words):
        shed()
    from sheetrun.service.pace import collect_rarely

    collect_rarely()
    code = _with_room(words)
    if words[:1] == ["run"]:
        _leave(code)
    return code


def _run(words: list[str]) -> int:
    from sheetrun.client.words import execute

    try:
        try:
            code = execute(words)
        except SystemExit as done:  # argparse ends so after --help and for wrong usage
            code = done.code if isinstance(done.code, int) else 0
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        sys.stderr.write("\nsheetrun: interrupted\n")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`). Python must not try to flush to it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("SHEETRUN_DEBUG"):
            raise
        from sheetrun.client.console import describe

        told = describe(error)
        sys.stderr.write(f"sheetrun: {told.message}\n")
        if told.hint:
            sys.stderr.write(f"  {told.hint}\n")
        return told.exit_code


def _with_room(words: list[str]) -> int:
    """``_run`` on a stack with room. CPython keeps frames in pieces of 16 KiB, and gives a piece back when a call that began
    it returns: where calls meet the end of one they ask the system for memory each time, 700 times in our imports. A frame
    that is said to be large gets a piece twice its size, and what is left of it is for all others."""
    return _run(words)


_with_room.__code__ = _with_room.__code__.replace(co_stacksize=_ROOM)


def _leave(code: int) -> None:
    """Ends a command that has no thread and no child left: to take a million objects apart one by one costs as much as
    a small workbook, and the system takes the memory back at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _computes(words: Sequence[str]) -> bool:
    """Whether a command runs a script here; scenarios of a model are the service's, whose address is in the environment."""
    if not words or words[0] not in _COMPUTING:
        return False
    if words[0] != "scenarios":
        return True
    from sheetrun.client.console import names_model

    return not any(map(names_model, words[1:]))


if __name__ == "__main__":
    sys.exit(main())
