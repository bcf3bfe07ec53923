"""What is declared about LocalStack is about things that there are, and its parts fit each other."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest
from infra.localstack import images, sam
from infra.localstack.commands import Failed

from sheetrun.local.deploying import load_template
from tests.conftest import PARAMETERS
from tests.differences import LOCALSTACK

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", LOCALSTACK)
def test_a_difference_is_about_a_test_that_there_is(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("environment", ["local", "localstack"])
def test_samconfig_names_parameters_of_the_template(environment: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    words = config[environment]["deploy"]["parameters"]["parameter_overrides"]
    assert {word.partition("=")[0] for word in words} | set(PARAMETERS) <= set(load_template()["Parameters"])


def test_one_version_of_localstack_and_of_python() -> None:
    recipe = images.RECIPE
    version = images.LOCALSTACK.partition(":")[2]
    assert f"image: {images.LOCALSTACK}\n" in (recipe.parent / "compose.yaml").read_text(encoding="utf-8")
    dockerfile = (recipe / "Dockerfile").read_text(encoding="utf-8")
    assert f"localstack-core[runtime]=={version}" in dockerfile
    assert (recipe / f"localstack-{version}.txt").is_file()
    assert f"/var/lang/bin/python{images.PYTHON} " in (recipe / "bootstrap").read_text(encoding="utf-8")
    assert load_template()["Parameters"]["PythonRuntime"]["Default"] == f"python{images.PYTHON}"


class Events:
    """CloudFormation with some events."""

    def __init__(self, *events: dict[str, str]) -> None:
        self.events = events

    def get_paginator(self, _: str) -> Events:
        return self

    def paginate(self, **_: str) -> list[dict[str, object]]:
        return [{"StackEvents": list(self.events)}]


def test_a_silent_fallback_is_no_success() -> None:
    api = {"LogicalResourceId": "ApiFunction", "ResourceType": "AWS::Lambda::Function"}
    sam._refuse_fallbacks(Events(api))
    reason = "Resource type X is not supported but was deployed as a fallback"
    with pytest.raises(Failed, match="in name only"):
        sam._refuse_fallbacks(Events(api, {**api, "ResourceStatusReason": reason}))
    with pytest.raises(Failed, match="nothing is known"):
        sam._refuse_fallbacks(Events())


def test_answers_of_functions_are_judged() -> None:
    sam._judge("parse", 'log\n{"batchItemFailures": []}\n')
    sam._judge("api-health", json.dumps({"statusCode": 200}))
    for event, said in (
        ("parse", '{"batchItemFailures": [{"itemIdentifier": "1"}]}'),
        ("parse", '{"errorMessage": "x", "errorType": "ImportError"}'),
        ("api-health", '{"statusCode": 500}'),
        ("sweep-schedule", "{}"),
        ("parse", ""),
    ):
        with pytest.raises(Failed, match=event):
            sam._judge(event, said)
