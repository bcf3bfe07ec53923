"""The route that computes a model for many inputs: it makes a job."""

from __future__ import annotations

import json

from sheetrun.jobs.job import Job
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blobs
from sheetrun.service.models import Models
from sheetrun.service.ports import Clock, Ids
from sheetrun.service.scenario_requests import ScenarioRequest, scenario_request
from sheetrun.service.submit import JSON_TYPE, Computation, Submitter
from sheetrun.service.uploads import Door
from sheetrun.service.views import job_view
from sheetrun.service.web.http import Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRoutes:
    """One handler."""

    models: Models
    submitter: Submitter
    door: Door
    blobs: Blobs
    clock: Clock
    ids: Ids
    settings: Settings
    replay: Replay
    gate: Gatekeeper

    def routes(self) -> list[Route]:
        return [Route(method="POST", template="/v1/models/{id}/scenarios", handler=self.submit, scope="submit")]

    def submit(self, call: Call) -> Response:
        """``POST /v1/models/{id}/scenarios``."""
        return self.gate.metered(call.caller.client, lambda: self._submit(call))

    def _submit(self, call: Call) -> Response:
        client = call.caller.client
        self.models.find(client, call.path["id"])  # whether there is one at all, before what is wrong with the body
        request = scenario_request(call.request.json(self.settings.max_body_bytes), self.settings)
        version = self.models.find(client, call.path["id"], request.version)

        def make(job_id: str) -> Response:
            asked = {"outputs": request.outputs, "upload": request.plan is None}
            job, upload = self.submitter.create(
                client,
                request.job,
                job_id=job_id,
                spend=self.submitter.spend(client, [request.job]),
                computes=Computation(model_job=version.job.id, request=asked),
            )
            if request.plan is not None:
                job = self._begin(job.id, job.source_key, request) or job
            view = job_view(job, call.request.base)
            headers = {"Location": view["urls"]["self"], "Retry-After": "1"}
            if request.plan is not None:
                return answer(202, view, headers)
            if upload["method"] == "MULTIPART":
                upload["complete_url"] = f"{view['urls']['self']}/upload/complete"
            return answer(202, {**view, "upload": upload}, headers)

        return self.replay.once(call, self.ids.job_id(self.clock.now()), make)

    def _begin(self, job_id: str, key: str, request: ScenarioRequest) -> Job | None:
        """The plan plays the part of the upload, so what takes files in takes it in too, now or (should this function
        die here) when the store tells of it."""
        self.blobs.put(key, json.dumps(request.plan).encode(), content_type=JSON_TYPE)
        self.door.accept(job_id)
        return self.submitter.ledger.get(job_id)
