"""Roles and what they were seen to use: which rights nobody needs, and what would fail without each statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

#: Rights that no call here asks for, by statement, and why. AWS itself writes the log of a function, and takes messages
#: from its queues and puts them away, under the function's role; it says "forbidden" of an object that is not there to
#: whoever may not list the bucket, where the emulator says "missing" to everybody. A large result is written in parts,
#: which are put away only when the store fails in the middle.
NOT_ASKED_FOR = {
    "Logs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "Receive": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "TellMissingFromForbidden": {"s3:ListBucket"},
    "WriteResults": {"s3:AbortMultipartUpload"},
}


@dataclass(frozen=True)
class Use:
    """One allowed call."""

    action: str
    resource: str


@dataclass(frozen=True)
class Statement:
    """``actions`` and ``resources`` as the policy lists them."""

    role: str
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def allows(self, use: Use) -> bool:
        return use.action in self.actions and any(fnmatchcase(use.resource, pattern) for pattern in self.resources)

    @property
    def expected(self) -> set[str]:
        """The actions that some call of ours must need."""
        return set(self.actions) - NOT_ASKED_FOR.get(self.sid, set())


def statements(iam: Any) -> list[Statement]:
    """Every statement of every function's role, as deployed."""
    found = []
    for role in (one["RoleName"] for one in iam.list_roles()["Roles"] if "Function" in one["RoleName"]):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for one in document["Statement"]:
                found.append(Statement(role, one["Sid"], _many(one["Action"]), _many(one["Resource"])))
    return found


def _many(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def uses(book: Path) -> dict[str, set[Use]]:
    """What each role was allowed, by its name."""
    found: dict[str, set[Use]] = {}
    for line in book.read_text().splitlines():
        entry = json.loads(line)
        if entry["decision"] == "Allow" and ":assumed-role/" in entry["who"]:
            role = entry["who"].split("/")[1]
            found.setdefault(role, set()).add(Use(entry["action"], entry["resource"]))
    return found


def unneeded(all_statements: list[Statement], used: dict[str, set[Use]]) -> list[str]:
    """``role sid action`` of every right without which no call that was seen would fail."""
    found = []
    for one in all_statements:
        others = [other for other in all_statements if other.role == one.role and other is not one]
        mine = {use for use in used.get(one.role, ()) if not any(other.allows(use) for other in others)}
        needed = {use.action for use in mine if one.allows(use)}
        found += [f"{one.role.split('-')[1]} {one.sid} {action}" for action in sorted(one.expected - needed)]
    return found
