"""A model's versions in the table: none is lost however many come at once, and the address lives as long as the last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sheetrun.jobs.changes import Change
from sheetrun.service.fakes import FakeClock
from sheetrun.service.models import Models
from tests.contract.ports import Ports, create, ended


def test_versions_that_come_at_once_are_all_kept(ports: Ports) -> None:
    models = Models(ports.ledger, ports.blobs, FakeClock())
    root = ended(ports, create(ports))
    later = [create(ports).evolve(expires_at=root.expires_at + timedelta(days=n)) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: models.add_version(root, job), [*later, *later]))
    kept = ports.ledger.get(root.id)
    assert kept is not None
    assert sorted(kept.versions) == sorted(job.id for job in later)
    assert kept.expires_at == later[-1].expires_at
    assert kept.state is root.state


def test_whose_version_a_job_is_is_read_as_it_was_written(ports: Ports) -> None:
    job = create(ports)
    change = Change(job.evolve(model="job_first", versions=("a", "b"), rev=job.rev + 1))
    ports.ledger.save(job, change)
    assert ports.ledger.get(job.id) == change.job
