"""A function's package: its ``app.py`` and the rooms of the library that it needs. Used here and by ``sam build``.

``python -m sheetrun.local.packages api DIRECTORY 3.13 arm64`` makes one; the Makefile beside the functions calls that.
"""

from __future__ import annotations

import compileall
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

from sheetrun.local.errors import LocalError
from sheetrun.records import dataclass

FUNCTIONS = Path(__file__).resolve().parents[2]  #: the folder of the functions, and of the library

_EDGE = ("__init__.py", "records.py", "settings.py", "bootstrap.py", "jobs", "service", "aws")
_NEVER = frozenset({"__main__.py", "client", "local", "__pycache__"})

#: Functions that ship only the rooms of the edge: a small package starts fast. The others ship what computes too.
EDGE = ("api", "intake", "deliver", "sweep")
COMPUTING = ("parse", "generate", "execute", "calculate")


def rooms(function: str) -> tuple[str, ...]:
    """Names in the library that a function ships."""
    if function in EDGE:
        return _EDGE
    return tuple(sorted(place.name for place in (FUNCTIONS / "sheetrun").iterdir() if place.name not in _NEVER))


def sources(function: str) -> dict[str, Path]:
    """Path in the package -> file, in a stable order. Raises ``LocalError``."""
    entry = FUNCTIONS / function / "app.py"
    if function not in EDGE + COMPUTING or not entry.exists():
        raise LocalError(f"the function {function!r} is not at {entry}; run from a checkout of the project")
    found = {"app.py": entry}
    library = FUNCTIONS / "sheetrun"
    for room in rooms(function):
        place = library / room
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                found[f"sheetrun/{file.relative_to(library).as_posix()}"] = file
    return found


def stage(function: str, directory: Path) -> None:
    """Writes the package's own files into a directory (without what pip installs)."""
    for name, file in sources(function).items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that a package is for, when it must bring what it requires: ``3.13``, ``arm64`` or ``x86_64``."""

    python: str
    architecture: str

    @property
    def platforms(self) -> list[str]:
        """pip takes them to the letter: without the older ones it does not see the wheels that run there just as well."""
        machine = "aarch64" if self.architecture == "arm64" else "x86_64"
        return [f"{kind}_{machine}" for kind in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]


def install(function: str, directory: Path, target: Target) -> None:
    """What the function requires, by pip, for the target. Raises ``LocalError`` with pip's last line."""
    wanted = FUNCTIONS / function / "requirements.txt"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(directory), "--only-binary=:all:", "--implementation", "cp", "--require-hashes"]
    command += [option for platform in target.platforms for option in ("--platform", platform)]
    command += ["--python-version", target.python, "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LocalError(f"pip could not install what {function} requires: {reason}")
    trim(directory)


#: What packages bring along and no function uses: tests, headers, file systems in the network, tools for fonts.
UNUSED = (
    "bin",
    "*/tests",
    "*/*/tests",
    "fontTools/*Lib",
    "fontTools/subset",
    "fontTools/unicodedata",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/*flight*",
    "pyarrow/libarrow_s3*",
    "pyarrow/_s3fs*",
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*",
)
LARGEST = 250 * 2**20  #: bytes of a function's package, unzipped; AWS Lambda takes no more


def trim(directory: Path) -> int:
    """Takes out what no function uses; the bytes that are left. Raises ``LocalError`` for more than Lambda takes."""
    for pattern in UNUSED:
        for place in directory.glob(pattern):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
    size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())
    if size > LARGEST:
        raise LocalError(f"{directory} has {size:,} bytes; a function's package has at most {LARGEST:,}")
    return size


def digest(function: str, target: Target | None = None) -> str:
    """Of everything that goes into the package, and of the Python that it is for."""
    state = hashlib.sha256((sys.version if target is None else repr(target)).encode())
    if target is not None:
        state.update((FUNCTIONS / function / "requirements.txt").read_bytes())
    for name, file in sources(function).items():
        state.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return state.hexdigest()[:32]


def archive(function: str, cache: Path, target: Target | None = None) -> Path:
    """The package as a zip, from the cache when nothing changed.

    ``target`` None: for the embedded run, whose workers find what the package requires in this environment. It is
    compiled here, of the unchecked kind: the emulator unpacks the zip anew for every worker, with new times.
    """
    made = cache / f"{function}-{digest(function, target)}.zip"
    if made.exists():
        return made
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        stage(function, root)
        if target is None:
            kind = PycInvalidationMode.UNCHECKED_HASH
            compileall.compile_dir(scratch, quiet=2, stripdir=scratch, invalidation_mode=kind, force=True, workers=1)
        else:
            install(function, root, target)
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
            for file in sorted(root.rglob("*")):
                if file.is_file():
                    info = zipfile.ZipInfo(file.relative_to(root).as_posix(), (1980, 1, 1, 0, 0, 0))
                    info.external_attr = 0o644 << 16
                    info.compress_type = zipfile.ZIP_DEFLATED
                    out.writestr(info, file.read_bytes())
    temporary = made.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(data.getvalue())
    temporary.replace(made)
    _forget_older(cache, function, made)
    return made


def _forget_older(cache: Path, function: str, kept: Path) -> None:
    for old in cache.glob(f"{function}-*.zip"):
        if old != kept:
            old.unlink(missing_ok=True)


def default_cache() -> Path:
    """Where packages are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sheetrun" / "packages"


def main(arguments: list[str]) -> int:
    """Makes one function's package in a directory, for ``sam build``."""
    if len(arguments) != 4:
        sys.stderr.write("usage: python -m sheetrun.local.packages FUNCTION DIRECTORY PYTHON arm64|x86_64\n")
        return 2
    function, directory, python, architecture = arguments
    try:
        stage(function, Path(directory))
        install(function, Path(directory), Target(python, architecture))
    except LocalError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
