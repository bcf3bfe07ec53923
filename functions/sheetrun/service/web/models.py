"""The routes of models that need no computing: what it takes and gives, its versions, its OpenAPI document."""

from __future__ import annotations

from typing import Final

from sheetrun.records import dataclass
from sheetrun.service.models import Models, Version, model_view, version_view
from sheetrun.service.web.http import Response, answer
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

#: The routes that compute, in a function of their own (``web.calls``): a gateway sends them there.
COMPUTING: Final = (
    ("POST", "/v1/models/{id}/calculate"),
    ("POST", "/v1/models/{id}/goal-seek"),
    ("POST", "/v1/models/{id}/data-table"),
    ("GET", "/v1/models/{id}/diff"),
)


@dataclass(frozen=True, slots=True)
class ModelRoutes:
    """Handlers, one per route."""

    models: Models
    settings: Settings

    def routes(self) -> list[Route]:
        one = "/v1/models/{id}"
        return [
            Route(method="GET", template=one, handler=self.model),
            Route(method="GET", template=f"{one}/versions", handler=self.versions),
            Route(method="GET", template=f"{one}/openapi.json", handler=self.openapi),
        ]

    def model(self, call: Call) -> Response:
        """``GET /v1/models/{id}``: of the newest version, or the one that ``version`` names."""
        version = self._version(call)
        view = model_view(version, self.models.interface(version), call.request.base)
        return answer(200, view, {"Cache-Control": "private, no-cache"})

    def versions(self, call: Call) -> Response:
        """``GET …/versions``, newest first."""
        found = self.models.versions(call.caller.client, call.path["id"])
        current = next((version.number for version in found if version.made), None)
        body = {"id": found[0].model, "current": current, "versions": [version_view(each) for each in found]}
        return answer(200, body)

    def openapi(self, call: Call) -> Response:
        """``GET …/openapi.json``: the model as an API of its own."""
        from sheetrun.service.web.openapi_models import model_document

        version = self._version(call)
        return answer(200, model_document(version, self.models.interface(version), call.request.base))

    def _version(self, call: Call) -> Version:
        pinned = call.request.integer("version", 0, 1, 10**6) or None
        return self.models.find(call.caller.client, call.path["id"], pinned)
