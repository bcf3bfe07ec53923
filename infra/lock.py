"""Pins what each function ships: ``functions/*/requirements.in`` → ``requirements.txt``, with the hash of every wheel.

``python infra/lock.py [--upgrade]`` asks pip, for each Python and each architecture that the template allows, which wheels
it would install. Without ``--upgrade`` the versions stay as they are pinned. The build installs with ``--require-hashes``:
what is not named here byte for byte is not installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from sheetrun.local.packages import Target

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ARCHITECTURES = ("arm64", "x86_64")
HEAD = "# Made from requirements.in by `make lock`; `make lock UPGRADE=1` takes newer versions.\n"
_PIN = re.compile(r"^([A-Za-z0-9._-]+==\S+)", re.MULTILINE)

Wheels = dict[str, set[str]]  #: ``name==version`` → hashes


def wheels(wanted: Path, pinned: Path | None) -> Wheels:
    """What pip would install for any of the targets. Raises SystemExit when they would get different versions."""
    found: Wheels = defaultdict(set)
    for python in PYTHONS:
        for architecture in ARCHITECTURES:
            for name, digest in _resolved(wanted, pinned, Target(python, architecture)):
                found[name].add(digest)
    names = [pin.split("==")[0] for pin in found]
    if len(names) != len(set(names)):
        raise SystemExit(f"{wanted}: the targets get different versions: {sorted(found)}")
    return found


def _resolved(wanted: Path, pinned: Path | None, target: Target) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
            "--no-cache-dir",
        ]
        command += ["--report", str(report), "--only-binary=:all:", "--implementation", "cp", "--target", folder]
        command += [option for platform in target.platforms for option in ("--platform", platform)]
        command += ["--python-version", target.python, "-r", str(wanted)]
        if pinned is not None:
            constraints = Path(folder, "constraints.txt")
            constraints.write_text("\n".join(_PIN.findall(pinned.read_text(encoding="utf-8"))))
            command += ["-c", str(constraints)]
        subprocess.run(command, check=True)
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        (
            f"{item['metadata']['name'].lower()}=={item['metadata']['version']}",
            item["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for item in items
    ]


def text(found: Wheels) -> str:
    lines = [HEAD]
    for pin, hashes in sorted(found.items()):
        lines.append(" \\\n".join([pin, *(f"    --hash=sha256:{digest}" for digest in sorted(hashes))]) + "\n")
    return "".join(lines)


def main() -> None:
    upgrade = "--upgrade" in sys.argv[1:]
    for wanted in sorted(FUNCTIONS.glob("*/requirements.in")):
        locked = wanted.with_suffix(".txt")
        locked.write_text(text(wheels(wanted, locked if locked.exists() and not upgrade else None)), encoding="utf-8")
        print(f"{locked.relative_to(FUNCTIONS)}: {len(_PIN.findall(locked.read_text(encoding='utf-8')))} packages")


if __name__ == "__main__":
    main()
