"""Packages and ports of the embedded run, without starting it."""

from __future__ import annotations

import socket
import zipfile
from pathlib import Path

import pytest

from sheetrun.local import LocalError, up
from sheetrun.local.deploying import functions_of, is_embedded, load_template
from sheetrun.local.packages import COMPUTING, EDGE, Target, archive, digest, sources


def test_every_function_of_the_template_has_a_package() -> None:
    assert sorted(functions_of(load_template()).values()) == sorted(EDGE + COMPUTING)


def test_the_edge_ships_no_compiler() -> None:
    rooms = {name.split("/")[1] for name in sources("api") if name.startswith("sheetrun/")}
    assert rooms == {"__init__.py", "records.py", "settings.py", "bootstrap.py", "jobs", "service", "aws"}
    assert "sheetrun/compiler/__init__.py" in sources("execute")
    assert not any("client/" in name or "local/" in name for name in sources("execute"))


def test_a_package_is_made_once_and_holds_byte_code(tmp_path: Path) -> None:
    first = archive("intake", tmp_path)
    made = first.stat().st_mtime_ns
    assert archive("intake", tmp_path).stat().st_mtime_ns == made
    assert digest("intake") in first.name
    with zipfile.ZipFile(first) as package:
        names = package.namelist()
    assert "app.py" in names
    assert any(name.startswith("sheetrun/__pycache__/bootstrap.") for name in names)


def test_a_package_for_elsewhere_is_another_one_and_names_its_platform() -> None:
    arm, intel = Target("3.13", "arm64"), Target("3.13", "x86_64")
    assert arm.platforms[0] == "manylinux_2_28_aarch64"
    assert intel.platforms == ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    assert len({digest("parse"), digest("parse", arm), digest("parse", intel)}) == 3
    assert not is_embedded("http://127.0.0.1:9")


def test_an_unknown_function_is_a_clear_line() -> None:
    with pytest.raises(LocalError, match="'nothing'"):
        sources("nothing")


def test_a_taken_port_is_a_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalError, match=f"port {port} is taken"):
            up(port=port)


def test_a_data_folder_keeps_its_port(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("4999")
    with pytest.raises(LocalError, match="made with port 4999"):
        up(port=5000, data_dir=tmp_path)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(LocalError, match="cannot be used"):
        up(data_dir=file)


def test_visibility_is_six_times_the_time_limit() -> None:
    parameters = {name: spec["Default"] for name, spec in load_template()["Parameters"].items()}
    assert parameters["StepVisibility"] >= 6 * parameters["StepSeconds"]
    assert parameters["ExecuteVisibility"] >= 6 * parameters["ExecuteFunctionSeconds"]
    assert parameters["ExecuteFunctionSeconds"] >= parameters["ExecuteSeconds"] + 30


def test_no_role_may_do_everything() -> None:
    """But for X-Ray, whose permissions know no resources: its policy is AWS's own, and is left out without tracing."""
    template = load_template()
    traces = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"}
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    assert statement["Resource"] != "*", logical
                    assert not any("*" in action for action in statement["Action"]), logical
            managed = resource["Properties"]["ManagedPolicyArns"]
            assert managed == {"Fn::If": ["IsTraced", [traces], {"Ref": "AWS::NoValue"}]}, logical
