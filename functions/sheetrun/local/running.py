"""``up``: emulator, stack, key, warm functions; and the way down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from pathlib import Path
from typing import Any

from sheetrun.local import emulator as emulators
from sheetrun.local.configuring import checked, emulated, from_environment
from sheetrun.local.configuring import told as limits_text
from sheetrun.local.deploying import Deployed, deploy, functions_of, load_template
from sheetrun.local.emulator import ROOT, Emulator
from sheetrun.local.errors import LocalError
from sheetrun.records import dataclass

DEFAULT_PORT = 4566
STACK = "sheetrun"
CLIENT = "local"
ALIAS = "live"  #: what everything calls (template.yaml)
REGION = "us-east-1"
Tell = Callable[[str], None]


@dataclass(slots=True)
class Running:
    """The embedded service. ``url`` is the API's base, to which ``/v1`` is added; ``key`` an API key."""

    url: str
    key: str
    aws_endpoint: str
    table: str
    bucket: str
    region: str
    log: Path
    _emulator: Emulator
    _scratch: Path
    _stopped: bool = field(default=False)

    @property
    def alive(self) -> bool:
        return self._emulator.alive

    def stop(self) -> None:
        """Leaves no process and no temporary file; state is kept when there is a data folder. Twice is no harm."""
        if self._stopped:
            return
        self._stopped = True
        self._emulator.stop()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _silent(_: str) -> None:
    return None


def up(
    port: int | None = None,
    data_dir: Path | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    warm: bool = True,
    tell: Tell = _silent,
) -> Running:
    """Starts the service and returns when it answers.

    ``port`` None: the one of the data folder, else 4566 if it is free, else any (0: any).
    ``parameters`` are the template's; they go before those that the environment names (``SHEETRUN_MAX_JOBS`` and so on).
    Raises ``LocalError`` with one line.
    """
    template = load_template()
    chosen = checked(template, {**_here(), **from_environment(os.environ), **(parameters or {})})
    tell(limits_text(template, chosen))
    data = None if data_dir is None else _data_folder(data_dir)
    scratch = Path(tempfile.mkdtemp(prefix="sheetrun-up-"))
    try:
        emulator = emulators.start(_port(port, data), scratch=scratch, data=data)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    try:
        deployed = deploy(
            emulator.endpoint,
            stack=STACK,
            parameters={"EndpointUrl": emulator.endpoint, **chosen},
            credentials=ROOT,
            tell=tell,
        )
        running = Running(
            url=deployed.url,
            key=_key(emulator, deployed, data),
            aws_endpoint=emulator.endpoint,
            table=deployed.table,
            bucket=deployed.bucket,
            region=REGION,
            log=emulator.log,
            _emulator=emulator,
            _scratch=scratch,
        )
        if warm:
            _warm(emulator)
    except BaseException:
        emulator.stop(seconds=2)
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    if data is not None:
        (data / "port").write_text(f"{emulator.port}\n")
    return running


def _data_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise LocalError(f"{folder} cannot be used to keep data: {problem.strerror}") from None
    return folder.resolve()


def _port(wanted: int | None, data: Path | None) -> int:
    """Queue URLs hold the port, so a data folder keeps the one it was made with."""
    remembered: int | None = None
    if data is not None:
        with contextlib.suppress(OSError, ValueError):
            remembered = int((data / "port").read_text())
    if remembered is not None:
        if wanted and wanted != remembered:
            raise LocalError(f"{data} was made with port {remembered}; leave --port out, or use another folder")
        return remembered
    if wanted == 0:
        return emulators.free_port()
    if wanted is not None:
        return wanted
    return DEFAULT_PORT if not emulators.taken(DEFAULT_PORT) else emulators.free_port()


def _here() -> dict[str, str]:
    """The template's parameters for one machine: few workers at once, short waits."""
    return {
        "Stage": "local",
        "Scale": "small",
        "PatienceSeconds": "10",
        "MaxRunning": "8",
        "MaxClientRunning": "6",
        "WebhookPrivate": "true",
        **emulated(),
    }


def _key(emulator: Emulator, deployed: Deployed, data: Path | None) -> str:
    """A key for the client ``local``; the same one as last time in a data folder."""
    kept = None if data is None else data / "key"
    if kept is not None and kept.exists() and not _deployed_anew(data, deployed):
        return kept.read_text().strip()
    import boto3

    from sheetrun.aws.accounts import DynamoKeys
    from sheetrun.aws.clients import Clients
    from sheetrun.service.access import SCOPES, Access
    from sheetrun.service.ids import SystemClock, SystemIds

    session = boto3.Session(region_name=REGION, **ROOT)
    keys = DynamoKeys(Clients(endpoint=emulator.endpoint, session=session), deployed.table)
    key = Access(keys, SystemClock(), SystemIds()).create(CLIENT, scopes=SCOPES, name="embedded run")
    if kept is not None:
        kept.touch(mode=0o600)
        kept.write_text(f"{key}\n")
        assert data is not None
        (data / "table").write_text(f"{deployed.table}\n")
    return key


def _deployed_anew(data: Path | None, deployed: Deployed) -> bool:
    """Whether the table is another one than that which the kept key is in."""
    if data is None:
        return True
    with contextlib.suppress(OSError):
        return (data / "table").read_text().strip() != deployed.table
    return True


def _warm(emulator: Emulator) -> None:
    """One empty call of every function, so that the first job does not pay for their start."""
    import boto3
    from botocore.config import Config

    client = boto3.Session(region_name=REGION, **ROOT).client(
        "lambda", endpoint_url=emulator.endpoint, config=Config(read_timeout=60, retries={"max_attempts": 1})
    )
    folders = functions_of(load_template()).values()

    def call(folder: str) -> None:
        event: dict[str, Any] = {"Records": []}
        if folder == "api":
            event = {"httpMethod": "GET", "path": "/v1/health", "requestContext": {}}
        answer = client.invoke(FunctionName=f"{STACK}-{folder}:{ALIAS}", Payload=json.dumps(event))
        if "FunctionError" in answer:
            detail = json.loads(answer["Payload"].read()).get("errorMessage", "")
            raise LocalError(f"the function {folder} does not start: {detail}")

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        list(pool.map(call, folders))
