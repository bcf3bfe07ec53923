"""What the commands say to people: errors in one line, files written whole, counts and times in words."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sheetrun.records import dataclass

_HINTS: Mapping[str, str] = {
    "no_formulas": "There is nothing to compile; `sheetrun analyze` looks at data.",
    "unknown_input": "References are Sheet!A1, 'Sheet with space'!A1, a defined name, or Table[Column].",
    "unknown_reference": "References are Sheet!A1, 'Sheet with space'!A1, a defined name, or Table[Column].",
}


class Usage(Exception):
    """The command was called with what cannot work together."""

    exit_code = 2
    code = "usage"


@dataclass(frozen=True, slots=True)
class Told:
    """An error as a person reads it."""

    message: str
    hint: str
    exit_code: int


@contextmanager
def about(path: object) -> Iterator[None]:
    """Errors from inside are told as errors of this file."""
    try:
        yield
    except Exception as error:
        error.add_note(str(path))
        raise


def names_model(word: str) -> bool:
    """Whether a word is a model's id, and no file."""
    return re.fullmatch(r"job_[0-9A-Za-z]+", word) is not None and not os.path.exists(word)


def code_of(error: BaseException) -> str | None:
    """The stable code of one of our own errors; None for anything else."""
    if not type(error).__module__.startswith("sheetrun."):
        return None
    code = getattr(error, "reason", None) or getattr(error, "code", None)
    return code if isinstance(code, str) and code.replace("_", "").isalnum() else "error"


def describe(error: BaseException) -> Told:
    """One line for any error: ours with its code, the system's in words, and a bug as a bug."""
    notes = getattr(error, "__notes__", None)
    subject = f"{notes[0]}: " if notes else ""
    code = code_of(error)
    if code is not None:
        text = " ".join(str(error).split()) or type(error).__name__
        shown = f" [{code}]" if code not in ("usage", "error") and code not in text else ""
        hint = getattr(error, "hint", "") or _HINTS.get(code, "")
        return Told(f"{subject}{text}{shown}", hint, int(getattr(error, "exit_code", 1)))
    if isinstance(error, FileNotFoundError):
        return Told(f"no such file: {error.filename}", "", 2)
    if isinstance(error, IsADirectoryError):
        return Told(f"{error.filename} is a directory", "", 2)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else subject
        return Told(f"{place}{error.strerror or error}", "", 1)
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("sheetrun"):
        return Told(f"this needs the package {error.name}, which is not installed", _extra_for(error.name or ""), 1)
    if isinstance(error, MemoryError):
        return Told(f"{subject}the memory of this machine is not enough", "", 1)
    kind = type(error).__name__
    hint = "This is a bug in sheetrun. SHEETRUN_DEBUG=1 shows where; please report it."
    return Told(f"{subject}internal error: {kind}: {' '.join(str(error).split())}", hint, 1)


def _extra_for(module: str) -> str:
    root = module.partition(".")[0]
    if root in ("boto3", "botocore", "ministack", "samtranslator", "pydantic", "aws_lambda_powertools"):
        return "Install it with: pip install 'sheetrun[local]'"
    if root in ("pandas", "matplotlib", "pyarrow"):
        return "Install it with: pip install 'sheetrun[datasets]'"
    return f"Install it with: pip install {root}"


def say(text: str) -> None:
    """A line beside the results: on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def write(target: str, content: bytes) -> None:
    """To a file, whole or not at all, or to stdout for ``-``."""
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    import tempfile
    from pathlib import Path

    path = Path(target)
    if path.is_dir():
        raise IsADirectoryError(21, "Is a directory", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "No such directory", str(path.parent))
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(content)
        return
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(partial, 0o666 & ~_umask())
        os.replace(partial, path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def json_bytes(document: Any) -> bytes:
    """JSON that every reader takes: UTF-8, no NaN; ends with a newline."""
    return (json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def count(number: int, noun: str) -> str:
    """``1,204 formulas``, ``1 formula``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(duration: float) -> str:
    """``85 ms``, ``1.3 s``, ``2 min 5 s``; ``duration`` in seconds."""
    if duration < 0.9995:
        return f"{duration * 1000:.0f} ms"
    if duration < 60:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s"


def size(amount: int) -> str:
    """``812 B``, ``20.0 kB``, ``1.3 MB``."""
    if amount < 1000:
        return f"{amount} B"
    value, unit = amount / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value >= 999.95:
            value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"
