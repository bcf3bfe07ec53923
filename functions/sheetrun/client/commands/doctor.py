"""``sheetrun doctor``: what this machine gives: Python, packages, the sandbox's layers, and a service.

Each sandbox layer is tried, not guessed. Exit code 1 when something that a command needs does not work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

from sheetrun.client.console import describe
from sheetrun.client.service_options import add_service
from sheetrun.records import dataclass

_PACKAGES = (
    ("numpy", "run, compile, check", True),
    ("ministack", "up", False),
    ("boto3", "up, deploy", False),
    ("pandas", "analyze", False),
    ("matplotlib", "analyze", False),
    ("pyarrow", "Parquet", False),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """``state``: ok, missing (something optional) or bad."""

    group: str
    name: str
    state: str
    detail: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    url = arguments.url or os.environ.get("SHEETRUN_URL")
    key = arguments.key or os.environ.get("SHEETRUN_KEY")
    findings = [*_machine(), *_tried("sandbox", _sandbox)]
    findings += _tried("service", lambda: _service(url, key)) if url else []
    if not url:
        findings.append(Finding("service", "address", "missing", "none given (--url or SHEETRUN_URL)"))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        _print(findings)
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    group = ""
    for finding in findings:
        if finding.group != group:
            print(f"{'' if not group else chr(10)}{finding.group}")
            group = finding.group
        mark = {"ok": "ok", "missing": "--", "bad": "NO"}[finding.state]
        print(f"  {mark}  {finding.name:<{width}}  {finding.detail}")


def _tried(group: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """A look that fails is a finding too."""
    try:
        return look()
    except Exception as error:
        return [Finding(group, group, "bad", describe(error).message)]


def _machine() -> list[Finding]:
    supported = sys.version_info >= (3, 11)
    findings = [
        Finding("machine", "python", "ok" if supported else "bad", f"{platform.python_version()} ({sys.executable})"),
        Finding("machine", "system", "ok", f"{platform.system()} {platform.release()} {platform.machine()}"),
        Finding("machine", "processors", "ok", str(os.cpu_count())),
    ]
    for name, purpose, needed in _PACKAGES:
        try:
            findings.append(Finding("packages", name, "ok", f"{version(name)} (for {purpose})"))
        except PackageNotFoundError:
            state = "bad" if needed else "missing"
            findings.append(Finding("packages", name, state, f"not installed (for {purpose})"))
    return findings


def _sandbox() -> list[Finding]:
    from sheetrun.sandbox.probe import probe

    return [
        Finding("sandbox", layer.name, "ok" if layer.holds else "missing", f"{layer.purpose} ({layer.detail})")
        for layer in probe()
    ]


def _service(url: str, key: str | None) -> list[Finding]:
    from sheetrun.client.api import Client
    from sheetrun.client.errors import ApiError

    with Client(url, key) as client:
        health = client.health()
        status = str(health.get("status", "unknown"))
        findings = [Finding("service", "address", "ok", url)]
        findings.append(Finding("service", "health", "ok" if status == "healthy" else "bad", status))
        try:
            client.limits()
        except ApiError as error:
            wrong = error.status in (401, 403)
            findings.append(Finding("service", "key", "bad" if wrong else "ok", str(error) if wrong else "accepted"))
        else:
            findings.append(Finding("service", "key", "ok", "accepted"))
    return findings
