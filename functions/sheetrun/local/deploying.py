"""``template.yaml`` onto an AWS-compatible endpoint by CloudFormation: what ``sam deploy`` does, without SAM.

The template is not changed but for where each function's code is, as ``sam package`` does.
"""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sheetrun.local.configuring import checked, emulated
from sheetrun.local.errors import LocalError
from sheetrun.local.packages import FUNCTIONS, Target, archive, default_cache
from sheetrun.records import dataclass

TEMPLATE = FUNCTIONS.parent / "template.yaml"
INLINE = 51_200  #: bytes of a template that may go in the call itself
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A stack that is complete; ``url`` is the API's base, as seen from here."""

    stack: str
    endpoint: str | None
    url: str
    table: str
    bucket: str
    changed: bool


def _silent(_: str) -> None:
    return None


def load_template() -> dict[str, Any]:
    """The template with its short intrinsic forms written out."""
    from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

    if not TEMPLATE.exists():
        raise LocalError(f"{TEMPLATE} is not there; run from a checkout of the project")
    parsed: dict[str, Any] = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    return parsed


def functions_of(template: Mapping[str, Any]) -> dict[str, str]:
    """Logical id -> folder, for every function. The folder is the end of the function's name."""
    found = {}
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            name = resource["Properties"]["FunctionName"]["Fn::Sub"]
            found[logical] = name.removeprefix("${AWS::StackName}-")
    return found


def deploy(
    endpoint: str | None,
    *,
    stack: str = "sheetrun",
    region: str = "us-east-1",
    parameters: Mapping[str, str] | None = None,
    credentials: Mapping[str, str] | None = None,
    cache: Path | None = None,
    tell: Tell = _silent,
) -> Deployed:
    """Makes or changes the stack and waits for it. ``endpoint`` None: AWS, with the caller's credentials.

    ``credentials`` are keyword arguments of ``boto3.Session``. Raises ``LocalError`` with what CloudFormation said.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session(region_name=region, **dict(credentials or {}))  # type: ignore[arg-type]
    try:
        chosen = checked(load_template(), parameters or {})
        return _deploy(session, endpoint, stack, chosen, cache or default_cache(), tell)
    except (ClientError, BotoCoreError) as problem:
        where = endpoint or "AWS"
        raise LocalError(f"the stack {stack} could not be deployed to {where}: {problem}") from problem


def _deploy(
    session: Any, endpoint: str | None, stack: str, parameters: dict[str, str], cache: Path, tell: Tell
) -> Deployed:
    from botocore.config import Config

    paths = Config(s3={"addressing_style": "path"}) if endpoint else None
    s3 = session.client("s3", endpoint_url=endpoint, config=paths)
    formation = session.client("cloudformation", endpoint_url=endpoint)
    account = session.client("sts", endpoint_url=endpoint).get_caller_identity()["Account"]
    code = f"sheetrun-code-{account}-{session.region_name}"
    _ensure_bucket(s3, code, session.region_name)
    template = load_template()
    if endpoint is not None and endpoint.startswith("http://"):
        parameters = {**emulated(), **parameters}
    target = None if endpoint is not None and is_embedded(endpoint) else _target(template, parameters)
    uploaded = _upload(s3, code, template, cache, target)
    body = json.dumps(template, separators=(",", ":"), sort_keys=True)
    mark = hashlib.sha256((body + json.dumps(parameters, sort_keys=True)).encode()).hexdigest()[:40]
    known = _describe(formation, stack)
    changed = known is None or _tag(known) != mark
    if changed:
        tell(f"deploying the stack {stack} ({uploaded} packages)")
        options = {
            "StackName": stack,
            **_template_of(s3, code, body, mark, endpoint),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Tags": [{"Key": "sheetrun:package", "Value": mark}],
        }
        if known is None:
            formation.create_stack(**options)
        else:
            formation.update_stack(**options)
        known = _complete(formation, stack)
    assert known is not None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in known["Outputs"]}
    url = outputs["ApiUrl"]
    if endpoint is not None:
        url = f"{endpoint.rstrip('/')}/restapis/{outputs['ApiId']}/{outputs['StageName']}/_user_request_"
    return Deployed(
        stack=stack,
        endpoint=endpoint,
        url=url,
        table=outputs["TableName"],
        bucket=outputs["BucketName"],
        changed=changed,
    )


def is_embedded(endpoint: str) -> bool:
    """Whether MiniStack answers there: its functions are processes of this machine's own Python."""
    try:
        urllib.request.urlopen(
            f"{endpoint.rstrip('/')}/_ministack/health", timeout=5
        ).close()  # an endpoint that the caller named  # nosec B310
    except OSError:
        return False
    return True


def _target(template: Mapping[str, Any], parameters: Mapping[str, str]) -> Target:
    def value(name: str) -> str:
        return parameters.get(name) or str(template["Parameters"][name]["Default"])

    return Target(value("PythonRuntime").removeprefix("python"), value("Architecture"))


def _ensure_bucket(s3: Any, name: str, region: str) -> None:
    from botocore.exceptions import ClientError

    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)


def _upload(s3: Any, bucket: str, template: dict[str, Any], cache: Path, target: Target | None) -> int:
    """Every function's package into the bucket, unless it is there; points the template at it."""
    from botocore.exceptions import ClientError

    count = 0
    for logical, folder in functions_of(template).items():
        package = archive(folder, cache, target)
        key = f"packages/{package.name}"
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            s3.put_object(Bucket=bucket, Key=key, Body=package.read_bytes())
            count += 1
        resource = template["Resources"][logical]
        resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
        resource.pop("Metadata", None)
    template["Globals"]["Function"].pop("CodeUri", None)
    return count


def _template_of(s3: Any, bucket: str, body: str, mark: str, endpoint: str | None) -> dict[str, str]:
    if len(body.encode()) <= INLINE:
        return {"TemplateBody": body}
    key = f"templates/{mark}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    base = f"{endpoint.rstrip('/')}/{bucket}" if endpoint else f"https://{bucket}.s3.amazonaws.com"
    return {"TemplateURL": f"{base}/{key}"}


def _describe(formation: Any, stack: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = formation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError:
        return None
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def _tag(stack: Mapping[str, Any]) -> str | None:
    return next((tag["Value"] for tag in stack.get("Tags", []) if tag["Key"] == "sheetrun:package"), None)


def _complete(formation: Any, stack: str, *, seconds: float = 600) -> dict[str, Any]:
    """Waits; raises ``LocalError`` with the first thing that failed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = _describe(formation, stack)
        status = "" if found is None else str(found["StackStatus"])
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            assert found is not None
            return found
        if status.endswith(("FAILED", "ROLLBACK_COMPLETE")) or found is None:
            events = formation.describe_stack_events(StackName=stack)["StackEvents"]
            reasons = [
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
                for event in reversed(events)
                if str(event["ResourceStatus"]).endswith("FAILED")
            ]
            raise LocalError(f"the stack {stack} ended as {status or 'gone'}. {' | '.join(reasons[:5])}")
        time.sleep(0.1)
    raise LocalError(f"the stack {stack} was not complete after {seconds:.0f} s")
