"""``python infra/audit.py pip-audit``: known weaknesses of what the functions ship, where the list of them can be reached.

pip-audit asks PyPI for the weaknesses of each pinned version. Behind a mirror that has packages only, nobody can
be asked: that is said, and is no failure; a weakness that was found is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
LIST = "https://pypi.org/pypi/numpy/2.0.0/json"


def reachable() -> str:
    """Why the list cannot be asked; "" when it can."""
    try:
        with urllib.request.urlopen(LIST, timeout=20) as answer:  # the address above  # nosec B310
            known = json.loads(answer.read())
    except (OSError, ValueError) as error:
        return str(error)
    return "" if "vulnerabilities" in known else "its answer names no vulnerabilities"


def main() -> int:
    why = reachable()
    if why:
        print(f"audit: SKIPPED, nothing was checked: {LIST} cannot be asked for known weaknesses ({why})")
        return 0
    files = [
        str(file) for file in sorted(FUNCTIONS.glob("*/requirements.txt")) if "==" in file.read_text(encoding="utf-8")
    ]
    command = [sys.argv[1], "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    return subprocess.run([*command, *(option for file in files for option in ("-r", file))], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
