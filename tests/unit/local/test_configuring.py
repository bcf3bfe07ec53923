"""Every limit is a setting, a variable and a parameter with one default and one range; wrong values stop the start."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import Any

import pytest

from sheetrun.client.cli import main
from sheetrun.local import LocalError, up
from sheetrun.local.configuring import checked, from_environment, parameter_name, told
from sheetrun.local.deploying import load_template
from sheetrun.service.fakes import FakeClock
from sheetrun.service.log import JsonLog
from sheetrun.settings import Settings

TEMPLATE = load_template()
SPECS = [spec for spec in fields(Settings) if spec.name in Settings.limit_names()]


def variables() -> set[str]:
    """What functions are given."""
    found = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    for resource in TEMPLATE["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            found |= set(resource["Properties"].get("Environment", {}).get("Variables", {}))
    return found


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_setting_and_parameter_agree(spec: Any) -> None:
    parameter = TEMPLATE["Parameters"][parameter_name(spec.name)]
    assert f"SHEETRUN_{spec.name.upper()}" in variables()
    assert parameter.get("Description")
    if "flag" in spec.metadata:
        assert (parameter["Default"], parameter["AllowedValues"]) == (str(spec.default).lower(), ["true", "false"])
    elif "many" in spec.metadata:
        assert parameter["Default"] == ",".join(map(str, spec.default))
        assert parameter["AllowedPattern"]
    else:
        bounds = (parameter["Default"], parameter["MinValue"], parameter["MaxValue"])
        assert bounds == (spec.default, spec.metadata["low"], spec.metadata["high"])


def test_every_parameter_that_functions_are_given_is_a_setting() -> None:
    known = {f"SHEETRUN_{name.upper()}" for name in Settings.names()} | {"AWS_ENDPOINT_URL"}
    assert variables() <= known


def test_variables_fit_into_what_lambda_allows() -> None:
    """4 KB in all (docs.aws.amazon.com/lambda, quotas), with names and addresses as long as they come on AWS."""

    def length(value: Any) -> int:
        if isinstance(value, dict):
            name = json.dumps(value)
            if "Queue" in name and "Fn::Join" not in name:
                return 110
            if "Fn::Join" in name:
                return sum(length(part) + 24 for part in value["Fn::Join"][1])
            parameter = TEMPLATE["Parameters"].get(value.get("Ref", ""))
            return len(str(parameter["MaxValue"])) if parameter and "MaxValue" in parameter else 90
        return len(str(value))

    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    for name, resource in TEMPLATE["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            own = resource["Properties"].get("Environment", {}).get("Variables", {})
            total = sum(len(variable) + length(value) for variable, value in {**shared, **own}.items())
            assert total < 4096, name


def test_the_environment_becomes_parameters() -> None:
    found = from_environment(
        {"SHEETRUN_MAX_JOBS": "50", "SHEETRUN_RETRY_DELAYS": "1,2", "SHEETRUN_URL": "x", "PATH": "y"}
    )
    assert found == {"MaxJobs": "50", "RetryDelays": "1,2"}


def test_wrong_values_are_all_named() -> None:
    with pytest.raises(LocalError) as caught:
        from_environment({"SHEETRUN_MAX_JOBS": "0", "SHEETRUN_WEBHOOK_PRIVATE": "maybe", "SHEETRUN_MAX_JOBBS": "1"})
    assert str(caught.value).splitlines() == [
        "SHEETRUN_MAX_JOBS='0': must be between 1 and 10000000",
        "SHEETRUN_WEBHOOK_PRIVATE='maybe': must be true or false",
        "SHEETRUN_MAX_JOBBS: no such setting",
    ]


@pytest.mark.parametrize("name", ["SHEETRUN_TABLE", "SHEETRUN_DELIVER_QUEUE"])
def test_names_of_things_are_not_chosen(name: str) -> None:
    with pytest.raises(LocalError, match="is set by the service itself"):
        from_environment({name: "x"})


def test_parameters_are_checked_together() -> None:
    with pytest.raises(LocalError, match="SHEETRUN_DEFAULT_RETAIN_SECONDS=100: above the maximum of 10"):
        checked(TEMPLATE, {"DefaultRetainSeconds": "100", "MaxRetainSeconds": "10"})
    with pytest.raises(LocalError, match="Nothing: the template has no such parameter"):
        checked(TEMPLATE, {"Nothing": "1"})


def test_times_that_follow_from_others_follow() -> None:
    found = checked(TEMPLATE, {"ExecuteSeconds": "600", "StepSeconds": "200"})
    assert found["ExecuteFunctionSeconds"] == "660"
    assert found["ExecuteVisibility"] == "3960"
    assert found["StepVisibility"] == "1200"
    assert checked(TEMPLATE, {"ExecuteSeconds": "60"})["ExecuteFunctionSeconds"] == "180"


def test_every_limit_is_told_and_what_is_changed_comes_first() -> None:
    text = told(TEMPLATE, {"MaxJobs": "50"})
    assert text.startswith("changed: max_jobs=50\n")
    assert all(f"{name}=" in text for name in Settings.limit_names())
    assert max(map(len, text.splitlines())) <= 120


def test_a_wrong_value_stops_the_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHEETRUN_MAX_JOBS", "many")
    with pytest.raises(LocalError, match="SHEETRUN_MAX_JOBS='many': not a whole number"):
        up(port=0)
    assert main(["up", "--port", "0"]) == 1
    assert "SHEETRUN_MAX_JOBS='many': not a whole number" in capsys.readouterr().err
    monkeypatch.delenv("SHEETRUN_MAX_JOBS")
    assert main(["up", "--port", "0", "--set", "max_jobs=0"]) == 1
    assert "SHEETRUN_MAX_JOBS='0': must be between" in capsys.readouterr().err
    assert main(["up", "--set", "max_job=5"]) == 2
    assert "did you mean max_jobs?" in capsys.readouterr().err


def test_functions_tell_their_limits_when_they_start() -> None:
    out = io.StringIO()
    log = JsonLog(function="api", stage="dev", clock=FakeClock(), stream=out)
    log.info("started", limits=Settings(max_jobs=7).limits())
    assert json.loads(out.getvalue())["limits"]["max_jobs"] == 7
