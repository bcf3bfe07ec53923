"""The words of the command line: which command they mean, with which arguments; usage errors in two lines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import sheetrun
from sheetrun.client.commands import COMMANDS

_EPILOG = "Start here: `sheetrun run FILE.xlsx`. `sheetrun COMMAND --help` explains a command."


class _Parser(argparse.ArgumentParser):
    """Usage errors in two lines: what is wrong, and where to look."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


class _Wide(argparse.RawDescriptionHelpFormatter):
    """Room for the longest command name, so that no summary begins on a line of its own."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action.choices, dict):  # the commands: argparse forgets that they are indented
            longest = max(map(len, action.choices)) + self._current_indent + self._indent_increment
            self._action_max_length = max(self._action_max_length, longest)


def execute(words: Sequence[str]) -> int:
    """Runs the command and gives its exit code. Raises SystemExit after ``--help`` and for wrong usage."""
    about = "Spreadsheets as programs: run, prove and serve them."
    parser = _Parser(prog="sheetrun", description=about, epilog=_EPILOG, formatter_class=_Wide)
    parser.add_argument("--version", action="version", version=f"sheetrun {sheetrun.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    wanted = next((word for word in words if not word.startswith("-")), None)
    if wanted is not None and wanted not in COMMANDS:
        import difflib

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
