"""What the template watches is what there is: queues, functions, and the metrics that the log lines make."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from sheetrun.local import deploying
from sheetrun.local.configuring import checked, emulated
from sheetrun.local.deploying import TEMPLATE as TEMPLATE_FILE
from sheetrun.local.deploying import functions_of, load_template
from sheetrun.local.running import _here
from sheetrun.service.letters import Source
from sheetrun.service.metrics import METRICS, NAMESPACE

TEMPLATE = load_template()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
ALARMS = {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
WORK_QUEUES = {
    name for name, one in RESOURCES.items() if one["Type"] == "AWS::SQS::Queue" and not name.endswith("DeadLetters")
}


def measured(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm reads, each with namespace, name and dimensions."""
    if "Metrics" not in alarm:
        return [alarm]
    return [metric["MetricStat"]["Metric"] for metric in alarm["Metrics"] if "MetricStat" in metric]


def dimensions(metric: dict[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in metric["Dimensions"]}


def widgets() -> list[dict[str, Any]]:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(re.sub(r"\$\{[^}]*\}", "x", body))["widgets"]
    return found


def test_every_queue_is_watched_for_age() -> None:
    watched = {dimensions(metric)["QueueName"]["Fn::GetAtt"][0] for metric in measured(ALARMS["WaitingAlarm"])}
    assert watched == WORK_QUEUES
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for queue in WORK_QUEUES:
        assert body.count(f"${{{queue}.QueueName}}") == 3  # age, depth, in flight


def test_every_function_is_watched() -> None:
    functions = set(functions_of(TEMPLATE))
    for alarms in (("ThrottledAlarm",), ("StepsFailingAlarm", "EdgeFailingAlarm")):
        watched = {dimensions(metric)["FunctionName"]["Ref"] for name in alarms for metric in measured(ALARMS[name])}
        assert watched == functions


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_can_be_made_and_is_sent_to_the_topic(name: str) -> None:
    alarm = ALARMS[name]
    assert RESOURCES[name]["Condition"] == "HasAlarms"
    assert alarm["AlarmActions"] == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    assert len(measured(alarm)) <= 10  # CloudWatch takes no more in one expression
    if "Metrics" in alarm:
        named = set(re.findall(r"\b[a-z]\d+\b", alarm["Metrics"][0]["Expression"]))
        assert named == {metric["Id"] for metric in alarm["Metrics"][1:]}


def test_our_own_metrics_are_asked_for_as_they_are_written() -> None:
    ours = [metric for alarm in ALARMS.values() for metric in measured(alarm) if metric["Namespace"] == NAMESPACE]
    assert {dimensions(metric).get("source") for metric in ours} == {None, *(source.value for source in Source)}
    for metric in ours:
        said = METRICS[dimensions(metric)["event"]]
        assert set(dimensions(metric)) == {"stage", "event", *said.dimensions}
        assert metric["MetricName"] in said.values
    searched = 0
    for widget in widgets():
        for row, *_ in widget["properties"]["metrics"]:
            if isinstance(row, dict):
                found = re.match(
                    r"SEARCH\('\{Sheetrun,stage,event,([\w,]+)\} stage=\"x\" event=\"(\w+)\"", row["expression"]
                )
                assert found is not None, row
                assert tuple(found[1].split(",")) == METRICS[found[2]].dimensions
                searched += 1
    assert searched == 5


def test_data_outlives_the_stack_and_logs_do_not_grow_for_ever() -> None:
    kept = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    for one in RESOURCES.values():
        if one["Type"] in kept:
            assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain")
        if one["Type"] == "AWS::Logs::LogGroup":
            assert one["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}


def test_emulators_get_the_same_template_by_parameters_alone() -> None:
    here = checked(TEMPLATE, _here())
    assert emulated().items() <= here.items()
    # SAM decides on gradual deployment while it reads the template, when an emulator may know the default alone.
    assert TEMPLATE["Parameters"]["GradualDeployment"]["Default"] == "false"


@pytest.mark.parametrize("gradual", ["true", "false"])
def test_new_code_takes_over_step_by_step_where_that_is_wanted(gradual: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # the translator asks boto3 which partition it is in
    template = load_template()
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    made = transform(template, {"GradualDeployment": gradual}, SimpleNamespace(load=dict))["Resources"].values()
    kinds = [one["Type"] for one in made]
    functions = len(functions_of(TEMPLATE))
    assert kinds.count("AWS::Lambda::Alias") == functions
    groups = [one["Properties"] for one in made if one["Type"] == "AWS::CodeDeploy::DeploymentGroup"]
    assert len(groups) == (functions if gradual == "true" else 0)
    for group in groups:
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert len(group["AlarmConfiguration"]["Alarms"]) == 2
    # Whatever calls a function calls the alias, or new code would take over at once.
    mappings = [one["Properties"] for one in made if one["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert all(mapping["FunctionName"]["Ref"].endswith("Aliaslive") for mapping in mappings)


def test_what_is_sent_is_the_template_but_for_where_code_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``sheetrun deploy`` and ``sam deploy`` make the same stack."""

    class Store:
        """A bucket that has every package already."""

        def head_object(self, **_: str) -> None: ...

    monkeypatch.setattr(deploying, "archive", lambda folder, cache, target: tmp_path / f"{folder}.zip")
    sent = load_template()
    deploying._upload(Store(), "bucket", sent, tmp_path, None)
    for logical in functions_of(sent):
        assert sent["Resources"][logical]["Properties"].pop("CodeUri")["Bucket"] == "bucket"
        sent["Resources"][logical]["Metadata"] = {"BuildMethod": "makefile"}
    sent["Globals"]["Function"]["CodeUri"] = "functions/"
    assert sent == TEMPLATE


def test_every_stage_of_samconfig_can_be_deployed() -> None:
    config = tomllib.loads((TEMPLATE_FILE.parent / "samconfig.toml").read_text(encoding="utf-8"))
    stages = {name: one["deploy"]["parameters"] for name, one in config.items() if name != "version"}
    assert set(stages) == {"default", "prod", "local", "localstack"}
    for name, said in stages.items():
        chosen = dict(word.split("=", 1) for word in said["parameter_overrides"])
        checked(TEMPLATE, chosen)
        for parameter, value in chosen.items():
            allowed = TEMPLATE["Parameters"][parameter].get("AllowedValues", [value])
            assert value in map(str, allowed), (name, parameter)
    assert "GradualDeployment=true" in stages["prod"]["parameter_overrides"]
