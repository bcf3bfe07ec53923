"""The rooms of the house and their one-way doors: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sheetrun

ROOT = Path(sheetrun.__file__).parent
FUNCTIONS = ROOT.parent

#: What each room may import of sheetrun, besides itself and what stands in no room.
DOORS: dict[str, set[str]] = {
    "records": set(),
    "formula": set(),
    "jobs": set(),
    "sandbox": set(),
    "runtime": set(),
    "workbook": {"formula", "runtime.cells", "runtime.distinct", "runtime.pivots"},
    "compiler": {"workbook", "formula", "runtime"},
    "report": {"formula"},
    "datasets": {"workbook", "compiler.literal", "runtime.cells", "sandbox", "report"},  # a script is written, run and shown
    "settings": set(),
    "service": {
        "workbook", "formula", "compiler", "runtime", "sandbox", "datasets", "report", "jobs", "settings", "bootstrap",
    },
    "aws": {
        "service.ports", "service.blobs", "service.outgoing", "service.letters", "service.addresses", "service.access",
        "service.ids", "jobs",
    },
    "bootstrap": {"aws", "service", "sandbox", "jobs", "settings"},
    "local": {"aws", "service", "settings", "bootstrap"},
    # ``deploy`` makes the first key in the new stack's table.
    "client": {"aws", "service", "workbook", "formula", "runtime", "sandbox", "compiler", "datasets", "local", "report"},
    "__main__": {"client"},
}  # fmt: skip
#: What its version is, and how its values are made.
COMMON = ("__version__", "records")
#: Packages from outside that a room needs; everything else is the standard library.
PACKAGES: dict[str, set[str]] = {
    "runtime": {"numpy"},
    "workbook": {"numpy"},
    "compiler": {"numpy"},
    "service": {"numpy"},
    "report": {"matplotlib"},
    "aws": {"boto3", "botocore", "mypy_boto3_dynamodb", "mypy_boto3_s3", "mypy_boto3_sqs"},
    "local": {"boto3", "botocore", "ministack", "samtranslator", "uvicorn"},
    "datasets": {"numpy", "pandas", "pyarrow", "matplotlib", "openpyxl"},
    "client": {"boto3", "pyarrow", "pandas"},
}
#: Only the adapters speak to AWS; the embedded run and ``sheetrun deploy`` put the stack there.
SPEAK_TO_AWS = {"aws", "local", "client"}


def rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT)
        if inside.name != "__init__.py" or len(inside.parts) > 1:
            found.setdefault(inside.parts[0].removesuffix(".py"), []).append(path)
    return found


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module) of every import anywhere in a file. ``from a import b`` gives a.b."""
    package = ".".join(("sheetrun", *path.relative_to(ROOT).parent.parts)) if path.is_relative_to(ROOT) else ""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def test_every_room_has_its_doors() -> None:
    assert set(rooms()) <= set(DOORS)


@pytest.mark.parametrize("room", sorted(DOORS))
def test_imports_go_one_way(room: str) -> None:
    wrong = []
    for path in rooms().get(room, []):
        for line, module in imports(path):
            first, _, inside = module.partition(".")
            if module == "sheetrun":
                allowed = True  # its version
            elif first == "sheetrun":
                allowed = any(f"{inside}.".startswith(f"{door}.") for door in (room, *DOORS[room], *COMMON))
            else:
                allowed = first in sys.stdlib_module_names or first in PACKAGES.get(room, ())
            if not allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_a_job_knows_no_clock_and_no_chance() -> None:
    """What decides is given the time, so that every schedule can be tried."""
    known = {module.split(".")[0] for path in rooms()["jobs"] for _, module in imports(path)}
    assert not known & {"time", "random", "os", "secrets", "uuid"}


def test_only_adapters_speak_to_aws() -> None:
    speaking = {
        room
        for room, paths in rooms().items()
        for path in paths
        for _, module in imports(path)
        if module.split(".")[0] in ("boto3", "botocore")
    }
    assert speaking <= SPEAK_TO_AWS
    assert "aws" in speaking


def test_the_doors_make_no_circle() -> None:
    """Rooms can be built one after another; ``service`` and ``bootstrap`` alone know each other (wiring of the tests)."""
    reach = {room: {door.split(".")[0] for door in doors} for room, doors in DOORS.items()}
    reach["service"].discard("bootstrap")
    reach["aws"].discard("service")  # implements its ports
    built: set[str] = set()
    while len(built) < len(reach):
        ready = {room for room, doors in reach.items() if doors <= built} - built
        assert ready, set(reach) - built
        built |= ready


def test_functions_hold_nothing_but_wiring() -> None:
    apps = sorted(FUNCTIONS.glob("*/app.py"))
    assert apps
    for path in apps:
        modules = {module for _, module in imports(path) if not module.startswith("__future__")}
        assert all(m == "typing.Any" or m == "sheetrun.bootstrap" for m in modules), (path, modules)
        assert len(path.read_text().splitlines()) <= 30


def _loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after some code."""
    program = f"import sys\n{code}\nprint('\\n'.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=FUNCTIONS)
    return set(done.stdout.split())


def test_the_api_loads_no_numpy_and_no_pandas() -> None:
    """Its cold start is a figure that the project keeps."""
    loaded = _loaded(
        "import importlib.util\n"
        "spec = importlib.util.spec_from_file_location('app', 'api/app.py')\n"
        "app = importlib.util.module_from_spec(spec); spec.loader.exec_module(app)\n"
        "import sheetrun.service.web.assembly"
    )
    assert "boto3" in loaded or "sheetrun" in loaded
    assert not loaded & {"numpy", "pandas", "pyarrow", "matplotlib", "openpyxl"}


def test_a_script_needs_the_runtime_alone() -> None:
    program = "import sheetrun.runtime.api, sheetrun.runtime.host"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*[m for m in sys.modules if m.startswith('sheetrun.')])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(m.startswith("sheetrun.runtime") or m == "sheetrun.records" for m in done.stdout.split())
    assert not _loaded(program) & {"boto3", "pandas", "matplotlib"}
