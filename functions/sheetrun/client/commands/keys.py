"""``sheetrun keys``: makes, lists, rotates and revokes the keys of clients; your own key needs the operate scope.

sheetrun keys create acme --name ci --days 90     prints the key alone, once
sheetrun keys rotate acme ID --overlap 3600       the old key works on for an hour
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from sheetrun.client.console import say
from sheetrun.client.service_options import add_service, connect

if TYPE_CHECKING:
    from sheetrun.client.operator import ApiKey, Operator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="a new key; a client begins to exist with its first")
    create.add_argument("client", metavar="CLIENT")
    create.add_argument(
        "--scope",
        action="append",
        choices=("submit", "read", "operate"),
        help="what it may do; more than once for more (default: submit and read)",
    )
    create.add_argument("--name", metavar="TEXT", help="what it is for")
    create.add_argument("--days", metavar="N", type=int, help="how long it works (default: for ever)")
    listed = actions.add_parser("list", help="a client's keys; without CLIENT the clients")
    listed.add_argument("client", metavar="CLIENT", nargs="?")
    rotate = actions.add_parser("rotate", help="a new key in the place of an old one, which works on for a while")
    rotate.add_argument("client", metavar="CLIENT")
    rotate.add_argument("id", metavar="ID", help="the old key's id: its middle part")
    rotate.add_argument("--overlap", metavar="S", type=int, help="seconds that the old key works on (default: a day)")
    revoke = actions.add_parser("revoke", help="the key opens nothing any more")
    revoke.add_argument("client", metavar="CLIENT")
    revoke.add_argument("id", metavar="ID")
    for action in (create, listed, rotate, revoke):
        action.add_argument("--json", action="store_true", help="print JSON")
        add_service(action)


def run(arguments: argparse.Namespace) -> int:
    ways: dict[str, Callable[[Operator, argparse.Namespace], None]] = {
        "create": _create,
        "list": _list,
        "rotate": _rotate,
        "revoke": _revoke,
    }
    with connect(arguments) as client:
        ways[arguments.action](client.operator, arguments)
    return 0


def _create(operator: Operator, arguments: argparse.Namespace) -> None:
    key = operator.create_key(arguments.client, scopes=arguments.scope, name=arguments.name, days=arguments.days)
    _show_new(key, arguments.json)


def _rotate(operator: Operator, arguments: argparse.Namespace) -> None:
    _show_new(operator.rotate_key(arguments.client, arguments.id, overlap_seconds=arguments.overlap), arguments.json)


def _list(operator: Operator, arguments: argparse.Namespace) -> None:
    if arguments.client is None:
        for name in operator.clients():
            print(json.dumps({"client": name}) if arguments.json else name)
        return
    for key in operator.keys(arguments.client):
        print(_document(key) if arguments.json else _line(key))


def _revoke(operator: Operator, arguments: argparse.Namespace) -> None:
    key = operator.revoke_key(arguments.client, arguments.id)
    print(_document(key) if arguments.json else _line(key))


def _show_new(key: ApiKey, as_json: bool) -> None:
    """The key alone on standard output, so that a shell can use it."""
    if as_json:
        print(_document(key))
        return
    say(f"sheetrun: key {key.id} of {key.client} ({', '.join(key.scopes)}); it is not shown again")
    print(key.text)


def _line(key: ApiKey) -> str:
    parts = [key.id, ",".join(key.scopes), "active" if key.active else "revoked" if key.revoked_at else "expired"]
    if key.last_used_at is not None:
        parts.append(f"used {key.last_used_at:%Y-%m-%d %H:%M} UTC")
    if key.expires_at is not None and key.active:
        parts.append(f"until {key.expires_at:%Y-%m-%d %H:%M} UTC")
    return "  ".join([*parts, *([key.name] if key.name else [])])


def _document(key: ApiKey) -> str:
    members = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(key).items()
        if name != "text"
    }
    if key.text is not None:
        members["key"] = key.text
    return json.dumps(members)
