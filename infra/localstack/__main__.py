"""The template on LocalStack, from nothing: images, `sam build`, `sam deploy`, the end-to-end tests, `sam local`.

What it starts it stops, also after a failure and after Ctrl-C. Exit status 0 when all of it holds; where Docker cannot be
had it says so, and that is a failure in CI (``CI`` is set) and a skip elsewhere.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from infra.localstack import images, sam
from infra.localstack.commands import Failed, Missing, NotDeployed, run_tests, say, step
from infra.localstack.docker import daemon
from infra.localstack.emulator import localstack
from tests.conftest import PARAMETERS
from tests.elsewhere import deployed_at

TESTS = ("tests/e2e", "tests/contract")


def main(words: list[str]) -> int:
    """``words`` go to pytest, instead of the two rooms of tests."""
    begun = time.monotonic()
    for name in (signal.SIGINT, signal.SIGTERM):  # a shell starts what runs in its background with Ctrl-C ignored
        signal.signal(name, signal.default_int_handler)
    try:
        with daemon():
            with ThreadPoolExecutor(1) as other, step("images, sam build"):
                building = other.submit(sam.build)
                images.ensure(sam.VENV)
                building.result()
            try:
                prove(words or list(TESTS))
            except NotDeployed as problem:  # a template that is wrong is refused twice
                say(f"{problem}\nonce more, on a new LocalStack")
                prove(words or list(TESTS))
    except Missing as missing:
        say(str(missing))
        say("FAILED: nothing was shown" if in_ci() else "SKIPPED: nothing was shown; in CI this is a failure")
        return 1 if in_ci() else 0
    except Failed as failed:
        say(f"FAILED: {failed}")
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    say(f"all of it holds ({time.monotonic() - begun:.0f} s)")
    return 0


def prove(tests: list[str]) -> None:
    """All of it on a LocalStack of its own. Raises ``Failed``."""
    with localstack() as endpoint:
        with step("sam deploy"):
            try:
                sam.deploy(endpoint, PARAMETERS)
            except Failed as problem:
                raise NotDeployed(str(problem)) from None
        with step("the end-to-end tests"):
            run_tests(["--timeout", "300", *tests], {"SHEETRUN_TEST_ENDPOINT": endpoint})
        with step("sam local invoke"):
            sam.invoke_all(endpoint)
        with step("sam local start-api"):
            sam.serve_and_ask(endpoint, deployed_at(endpoint).key)


def in_ci() -> bool:
    return bool(os.environ.get("CI"))


sys.exit(main(sys.argv[1:]))
