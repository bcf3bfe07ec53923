"""What the free edition of LocalStack 4.14 does otherwise than AWS, by the test that shows it. Those are left out there.

It does not limit a container's memory either (`sam local` does), mocks the logging configuration of functions, and has no
dashboards, no CodeDeploy and no traces. All other tests of ``tests/e2e`` and ``tests/contract`` are the same on the embedded
service and on LocalStack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NO_IAM: Final = "policies of buckets and roles are not enforced"
_NO_SIGNATURES: Final = "forms and links are taken whatever their signature and policy say"
_ONE_AT_A_TIME: Final = (
    "a queue's mapping calls its function with one batch at a time, whatever MaximumConcurrency says"
)
_CONTAINERS: Final = (
    "each request at the same time starts a container, and a dozen do not start within a request's time"
)

LOCALSTACK: Final[Mapping[str, str]] = {
    "tests/e2e/test_embedded.py::test_jobs_and_keys_outlive_a_restart_and_nothing_stays_behind": (
        "it is about the embedded run, and starts that itself"
    ),
    "tests/e2e/test_job.py::test_nothing_in_the_bucket_is_open": _NO_IAM,
    "tests/e2e/test_job.py::test_the_store_refuses_what_the_form_does_not_allow": _NO_SIGNATURES,
    "tests/e2e/test_roles.py::test_no_right_can_be_taken_away": _NO_IAM,
    "tests/e2e/test_chaos.py::test_workers_killed_again_and_again_cost_nobody_a_job": (
        "it kills processes of the embedded run, and starts that itself"
    ),
    "tests/e2e/test_sharing.py::test_a_link_opens_what_it_was_made_for_and_nothing_else": _NO_SIGNATURES,
    "tests/e2e/test_sharing.py::test_one_clients_crowd_does_not_hold_up_anothers_job": _ONE_AT_A_TIME,
    "tests/e2e/test_webhooks.py::test_a_slow_receiver_does_not_hold_up_another": _ONE_AT_A_TIME,
    "tests/e2e/test_sharing.py::test_a_limit_of_a_day_is_exact_under_many_callers": _CONTAINERS,
    "tests/e2e/test_sharing.py::test_one_idempotency_key_at_once_from_many_makes_one_job": _CONTAINERS,
}
