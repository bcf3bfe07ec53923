"""``sheetrun deploy``: the same stack on another AWS-compatible endpoint, or on AWS itself.

Credentials come from the environment, as for every AWS tool. --client NAME makes an operator's key for that
client, shown once; `sheetrun keys` makes further ones with it.
"""

from __future__ import annotations

import argparse
import json

from sheetrun.client.console import Usage, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--endpoint", metavar="URL", help="an endpoint, http://localhost:4566 for LocalStack")
    where.add_argument("--aws", action="store_true", help="AWS itself, which costs money")
    parser.add_argument("--region", default="us-east-1", help="the region (default: us-east-1)")
    parser.add_argument("--stack", default="sheetrun", help="the stack's name (default: sheetrun)")
    parser.add_argument("--parameter", metavar="NAME=VALUE", action="append", default=[], help="a template parameter")
    parser.add_argument("--client", metavar="NAME", help="make a key for this client")
    parser.add_argument("--json", action="store_true", help="print the address and the key as JSON")


def run(arguments: argparse.Namespace) -> int:
    parameters = {}
    for text in arguments.parameter:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Usage(f"--parameter {text!r} is not NAME=VALUE")
        parameters[name] = value
    from sheetrun import local

    deployed = local.deploy(
        arguments.endpoint, stack=arguments.stack, region=arguments.region, parameters=parameters, tell=say
    )
    key = _key(arguments.endpoint, arguments.region, deployed.table, arguments.client) if arguments.client else None
    if arguments.json:
        print(json.dumps({"url": deployed.url, "key": key}))
        return 0
    print(f"Sheetrun is deployed\n\n  export SHEETRUN_URL={deployed.url}")
    if key is not None:
        print(f"  export SHEETRUN_KEY={key}")
    else:
        print("\n--client NAME makes a key.")
    return 0


def _key(endpoint: str | None, region: str, table: str, client: str) -> str:
    import boto3

    from sheetrun.aws.accounts import DynamoKeys
    from sheetrun.aws.clients import Clients
    from sheetrun.service.access import SCOPES, Access
    from sheetrun.service.ids import SystemClock, SystemIds

    session = boto3.Session(region_name=region)
    keys = DynamoKeys(Clients(endpoint=endpoint, session=session), table)
    return Access(keys, SystemClock(), SystemIds()).create(client, scopes=SCOPES, name="made by sheetrun deploy")
