"""The bodies of requests for jobs: what the caller gave, as the service wants it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.client.upload import Source
from sheetrun.client.values import CellValue


def job_request(
    source: Source,
    *,
    inputs: Mapping[str, CellValue] | None,
    outputs: Sequence[str] | None,
    metadata: Mapping[str, str] | None,
    **options: Any,
) -> dict[str, Any]:
    """``options``: more members, those that are None left out."""
    return _file(source) | _given(inputs=_dict(inputs), outputs=_list(outputs), metadata=_dict(metadata), **options)


def scenarios_request(
    source: Source | None,
    *,
    scenarios: Sequence[Mapping[str, CellValue]] | None,
    grid: Mapping[str, Sequence[CellValue]] | None,
    correlations: Sequence[tuple[str, str, float]] | None,
    outputs: Sequence[str] | None,
    metadata: Mapping[str, str] | None,
    **options: Any,
) -> dict[str, Any]:
    """``source``: the file that has the scenarios, if they are in one."""
    return _file(source) | _given(
        scenarios=None if scenarios is None else [dict(row) for row in scenarios],
        grid=None if grid is None else {name: list(values) for name, values in grid.items()},
        correlations=None if correlations is None else [list(one) for one in correlations],
        outputs=_list(outputs),
        metadata=_dict(metadata),
        **options,
    )


def _file(source: Source | None) -> dict[str, Any]:
    return {} if source is None else {"filename": source.filename, "size": source.size, "sha256": source.sha256}


def _dict(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)


def _list(value: Sequence[str] | None) -> list[str] | None:
    return None if value is None else list(value)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
