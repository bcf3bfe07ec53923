"""Holds the OpenAPI document against the service: schemathesis on the embedded run. ``make openapi`` calls it.

``python infra/openapi_check.py SCHEMATHESIS [OPTION]…``: the program, in an environment of its own because its dependencies
are pinned against ours, and more options for it. The same seed each time; its exit code is ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sheetrun.local import up

HERE = Path(__file__).resolve().parent
#: Limits would answer for the routes: here they are out of the way.
PARAMETERS = {
    "RequestsPerMinute": "1000000",
    "CallsPerMinute": "1000000",
    "MaxJobs": "10000000",
    "MaxClientJobs": "10000000",
}
#: A minute: every operation with values at the edges of its schema, then arbitrary ones until the time is over.
OPTIONS = [
    *("--seed", "1", "--generation-database", "none", "--max-time", "60"),
    *("--phases", "examples,coverage,fuzzing,stateful", "--request-timeout", "30", "--no-color"),
]


def main(arguments: list[str]) -> int:
    """Starts the service, runs schemathesis against it, and says what it found."""
    if not arguments:
        sys.stderr.write("usage: python infra/openapi_check.py SCHEMATHESIS [OPTION]...\n")
        return 2
    with up(port=0, parameters=PARAMETERS) as service:
        command = [
            arguments[0],
            "--config-file",
            str(HERE / "schemathesis.toml"),
            "run",
            f"{service.url}/v1/openapi.json",
            "-H",
            f"x-api-key: {service.key}",
        ]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)}
        done = subprocess.run([*command, *OPTIONS, *arguments[1:]], check=False, env=environment, cwd=HERE)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
