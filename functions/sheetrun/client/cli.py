"""The command line ``sheetrun``: finds the command, runs it, and turns every error into one line and an exit code.

0 done, 1 the work failed, 2 wrong usage, 130 interrupted. ``SHEETRUN_DEBUG=1`` shows tracebacks.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import sheetrun
from sheetrun.client.commands import COMMANDS
from sheetrun.client.console import describe, names_model
from sheetrun.sandbox.bare import shed
from sheetrun.service.pace import collect_rarely

#: Commands that run scripts: they begin again without the environment, so that the sandbox may be a fork of them.
_COMPUTING = ("run", "check", "scenarios", "report", "bundle")
_EPILOG = "Start here: `sheetrun run FILE.xlsx`. `sheetrun COMMAND --help` explains a command."


class _Parser(argparse.ArgumentParser):
    """Usage errors in two lines: what is wrong, and where to look."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if argv is None and _computes(words):
        shed()
    if argv is None:
        collect_rarely()
    try:
        try:
            code = _run(words)
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
        told = describe(error)
        sys.stderr.write(f"sheetrun: {told.message}\n")
        if told.hint:
            sys.stderr.write(f"  {told.hint}\n")
        return told.exit_code


def _computes(words: Sequence[str]) -> bool:
    """Whether a command runs a script here; scenarios of a model are the service's, whose address is in the environment."""
    if not words or words[0] not in _COMPUTING:
        return False
    return words[0] != "scenarios" or not any(map(names_model, words[1:]))


class _Wide(argparse.RawDescriptionHelpFormatter):
    """Room for the longest command name, so that no summary begins on a line of its own."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action.choices, dict):  # the commands: argparse forgets that they are indented
            longest = max(map(len, action.choices)) + self._current_indent + self._indent_increment
            self._action_max_length = max(self._action_max_length, longest)


def _run(words: Sequence[str]) -> int:
    about = "Spreadsheets as programs: run, prove and serve them."
    parser = _Parser(prog="sheetrun", description=about, epilog=_EPILOG, formatter_class=_Wide)
    parser.add_argument("--version", action="version", version=f"sheetrun {sheetrun.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    wanted = next((word for word in words if not word.startswith("-")), None)
    if wanted is not None and wanted not in COMMANDS:
        near = difflib.get_close_matches(wanted, COMMANDS, 1)
        parser.error(f"there is no command {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == wanted:
            module = import_module(f"sheetrun.client.commands.{name.replace('-', '_')}")
            command.formatter_class = _Wide
            if module.__doc__ and "\n\n" in module.__doc__:
                command.epilog = module.__doc__.partition("\n\n")[2].strip()
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    arguments = parser.parse_args(words)
    code: int = arguments.run(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
