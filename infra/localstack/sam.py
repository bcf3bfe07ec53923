"""SAM as a person would use it: build, deploy, then single functions and the API on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import subprocess
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.localstack.commands import ROOT, Failed, call, say, tail
from infra.localstack.images import PYTHON

VENV = ROOT / ".sam-venv"
SAM = VENV / "bin" / "sam"
STACK, REGION = "sheetrun", "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
_QUIET = {
    "SAM_CLI_TELEMETRY": "0",
    "SHEETRUN_ARCH": ARCHITECTURE,
    "SHEETRUN_PYTHON": PYTHON,
}
#: `sam local` asks STS who it is, and tries again and again where nobody answers.
_ASKED_ONCE = {"AWS_MAX_ATTEMPTS": "1"}


def build() -> None:
    call(SAM, "build", "--parallel", environment=_environment())


def deploy(endpoint: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The stack's outputs. Raises ``Failed``, also when a resource is there in name only.

    It asks again and again how the stack grows, and a connection may be lost on the way: botocore's retries stay on.
    """
    chosen = {**_configured(), "EndpointUrl": endpoint, "Architecture": ARCHITECTURE, **parameters}
    words = [f"{name}={value}" for name, value in chosen.items()]
    call(
        *(SAM, "deploy", "--config-env", "localstack", "--no-progressbar", "--parameter-overrides", *words),
        environment=_environment(endpoint),
    )
    formation = _aws(endpoint, "cloudformation")
    _refuse_fallbacks(formation)
    (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _refuse_fallbacks(formation: Any) -> None:
    events = [
        event
        for page in formation.get_paginator("describe_stack_events").paginate(StackName=STACK)
        for event in page["StackEvents"]
    ]
    if not any(event["LogicalResourceId"] == "ApiFunction" for event in events):
        raise Failed("LocalStack does not tell what it deployed; nothing is known about fallbacks")
    found = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ResourceStatusReason']}"
        for event in events
        if "fallback" in event.get("ResourceStatusReason", "").lower()
    ]
    if found:
        raise Failed("deployed in name only:\n" + "\n".join(found))


def invoke_all(endpoint: str) -> None:
    """Every file in ``events/`` with its function, in a container of its own, on the tables and queues of LocalStack."""
    with _variables(endpoint) as variables:
        for path in sorted((ROOT / "events").glob("*.json")):
            function = path.stem.split("-")[0]
            begun = time.monotonic()
            words = ["--event", path, "--env-vars", variables, "--skip-pull-image"]
            said = call(
                *(SAM, "local", "invoke", f"{function.capitalize()}Function", *words, *_overrides(endpoint)),
                environment=_environment(endpoint) | _ASKED_ONCE,
                seconds=180,
            )
            _judge(path.stem, said)
            say(f"sam local invoke {path.stem}: {time.monotonic() - begun:.1f} s")


def _judge(event: str, said: str) -> None:
    """The answer is the last line. The jobs of the events are not there, and that is an answer, not an error."""
    try:
        answer = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise Failed(f"{event}: no answer\n{tail(said)}") from None
    if event.startswith(("api", "calculate")):
        good = answer.get("statusCode") in (200, 401)
    elif event == "sweep-schedule":
        good = set(answer) >= {"changed", "sent"}
    else:
        good = answer == {"batchItemFailures": []}
    if not good:
        raise Failed(f"{event}: {json.dumps(answer)[:500]}")


def serve_and_ask(endpoint: str, key: str) -> None:
    """``sam local start-api``: the API answers, knows the key, and makes a job in LocalStack's table."""
    port = _free_port()
    with _variables(endpoint) as variables, tempfile.TemporaryFile("w+") as log:
        words = ["--port", str(port), "--env-vars", str(variables), "--skip-pull-image", "--warm-containers", "LAZY"]
        process = subprocess.Popen(
            [str(SAM), "local", "start-api", *words, *_overrides(endpoint)],
            cwd=ROOT,
            env={**os.environ, **_environment(endpoint), **_ASKED_ONCE},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(process, f"{base}/v1/health")
            for _ in range(2):
                begun = time.monotonic()
                job = _ask(f"{base}/v1/jobs", key, {"filename": "model.xlsx"})
                say(f"sam local start-api: POST /v1/jobs in {1000 * (time.monotonic() - begun):.0f} ms")
            if _ask(f"{base}/v1/jobs/{job['id']}", key)["state"] != "awaiting_upload":
                raise Failed(f"sam local start-api: {job}")
        except Failed as problem:
            log.seek(0)
            raise Failed(f"{problem}\n{tail(log.read())}") from None
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            if json.load(urllib.request.urlopen(url, timeout=40))["status"] == "healthy":
                return
        except (OSError, ValueError):  # not there yet
            time.sleep(0.5)
    raise Failed(f"sam local start-api does not answer at {url}")


def _ask(url: str, key: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"x-api-key": key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, ValueError) as problem:
        said = problem.read().decode() if isinstance(problem, urllib.error.HTTPError) else ""
        raise Failed(f"{url}: {problem} {said}") from None


@contextmanager
def _variables(endpoint: str) -> Iterator[Path]:
    """What the deployed functions have in their environment, for the same functions run by ``sam local``."""
    functions = _aws(endpoint, "lambda")
    found = {
        f"{folder.name.capitalize()}Function": functions.get_function_configuration(
            FunctionName=f"{STACK}-{folder.name}"
        )["Environment"]["Variables"]
        for folder in (ROOT / "functions").iterdir()
        if (folder / "app.py").is_file()
    }
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "variables.json"
        path.write_text(json.dumps(found))
        yield path


def _overrides(endpoint: str) -> list[str]:
    chosen = {**_configured(), "EndpointUrl": endpoint, "Architecture": ARCHITECTURE}
    return ["--parameter-overrides", *(f"{name}={value}" for name, value in chosen.items())]


def _configured() -> dict[str, str]:
    """What ``samconfig.toml`` says for LocalStack."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in config["localstack"]["deploy"]["parameters"]["parameter_overrides"])


def _environment(endpoint: str | None = None) -> dict[str, str]:
    return {**_QUIET, **CREDENTIALS, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}


def _aws(endpoint: str, service: str) -> Any:
    import boto3

    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return session.client(service, endpoint_url=endpoint)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
