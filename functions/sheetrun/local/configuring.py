"""Settings of the service as parameters of the template: from the environment, checked before anything starts, told.

A setting ``max_jobs`` is ``SHEETRUN_MAX_JOBS`` in the environment and ``MaxJobs`` in the template.
"""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Mapping
from typing import Any

from sheetrun.local.errors import LocalError
from sheetrun.settings import ELSEWHERE, PREFIX, Settings, SettingsError

WIDTH = 110


def emulated() -> dict[str, str]:
    """Parameters for an AWS-compatible service on this machine: no TLS, its processor, and nothing that none of them has."""
    return {
        "RequireTls": "false",
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "Watch": "none",
        "Tracing": "PassThrough",
        "GradualDeployment": "false",
    }


def parameter_name(setting: str) -> str:
    return "".join(part.capitalize() for part in setting.split("_"))


def limit_names() -> frozenset[str]:
    """Settings that whoever starts the service may choose."""
    return Settings.limit_names()


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Template parameters by what ``SHEETRUN_…`` says. Raises ``LocalError`` with a line per fault."""
    given = {
        name: text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name not in ELSEWHERE and text != ""
    }
    wired = sorted(name for name in given if name[len(PREFIX) :].lower() in Settings.names() - Settings.limit_names())
    if wired:
        raise LocalError("\n".join(f"{name}: is set by the service itself; unset it" for name in wired))
    _check(given)
    return {parameter_name(name[len(PREFIX) :].lower()): text for name, text in given.items()}


def checked(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters, and those that follow from them. Raises ``LocalError`` for one that there is not, or wrong values."""
    known = template["Parameters"]
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise LocalError("\n".join(f"{name}: the template has no such parameter" for name in unknown))
    settled = _following(parameters)
    _check(_environment(known, settled))
    return settled


def told(template: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """Every limit with its value, those that are not the default first."""
    known = template["Parameters"]
    values = {
        name: str(parameters.get(parameter_name(name), known[parameter_name(name)]["Default"]))
        for name in sorted(Settings.limit_names())
    }
    changed = [name for name in values if values[name] != str(known[parameter_name(name)]["Default"])]
    rest = [name for name in values if name not in changed]
    lines = []
    for title, names in (("changed", changed), ("limits", rest)):
        if names:
            text = " ".join(f"{name}={values[name]}" for name in names)
            lines.append(textwrap.fill(f"{title}: {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    return "\n".join(lines)


def _check(environment: Mapping[str, str]) -> None:
    try:
        Settings.from_environment(environment)
    except SettingsError as wrong:
        raise LocalError(str(wrong)) from None


def _environment(known: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """What the functions will be given, with the template's own defaults."""
    found = {}
    for name in Settings.limit_names():
        parameter = parameter_name(name)
        found[PREFIX + name.upper()] = str(parameters.get(parameter, known[parameter]["Default"]))
    return found


def _following(parameters: Mapping[str, str]) -> dict[str, str]:
    """A function must live longer than the script in it, and a message be invisible for six times that."""
    settled = dict(parameters)
    if (seconds := settled.get("ExecuteSeconds", "")).isdigit():
        settled.setdefault("ExecuteFunctionSeconds", str(max(180, int(seconds) + 60)))
    for seconds_name, visibility in (
        ("ExecuteFunctionSeconds", "ExecuteVisibility"),
        ("StepSeconds", "StepVisibility"),
    ):
        if (seconds := settled.get(seconds_name, "")).isdigit():
            settled.setdefault(visibility, str(max(60, 6 * int(seconds))))
    return settled
