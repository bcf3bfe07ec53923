"""``sheetrun deploy``: the same stack on another AWS-compatible endpoint: LocalStack, or AWS itself.

Credentials and region come from the environment, as for every AWS tool.
"""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", metavar="URL", required=True, help="http://localhost:4566 for LocalStack")
    parser.add_argument("--json", action="store_true", help="print the address and the key as JSON")


def run(arguments: argparse.Namespace) -> int:
    from sheetrun import local

    deployed = local.deploy(endpoint=arguments.endpoint)
    if arguments.json:
        print(json.dumps({"url": deployed.url, "key": deployed.key}))
    else:
        print(f"Sheetrun is deployed at {deployed.url}\n\n  export SHEETRUN_URL={deployed.url}")
        print(f"  export SHEETRUN_KEY={deployed.key}")
    return 0
