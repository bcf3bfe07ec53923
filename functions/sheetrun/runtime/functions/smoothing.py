"""FORECAST.ETS and kin: exponential smoothing as Excel does it, which nobody outside Excel can repeat exactly.

Excel fits the smoothing parameters of the AAA method with an optimiser whose objective, bounds and stopping rule are
not published; other fits of the same data differ in the third digit. A number that is nearly Excel's would pass as
Excel's, so these functions check their arguments and then say that they cannot be computed; the cell keeps its value.
The step of an even timeline is no matter of a fit: FORECAST.ETS.STAT gives it.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import NA, NUM, Raised, Unsupported
from sheetrun.runtime.functions.aggregate import checked
from sheetrun.runtime.functions.matrix import matrix
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Arr

_MOST_SEASON = 8760  # hours in a year
_STEP = 8  # the statistic that is the step of the timeline


def _moments(values: Arr, timeline: Arr, seasonality: float, completion: float, aggregation: float) -> Numbers:
    """The distinct times in order; raises Excel's errors for arguments that cannot be."""
    if values.size != timeline.size:
        raise Raised(NA)
    times = checked(matrix(timeline).ravel())
    if not 0.0 <= seasonality <= _MOST_SEASON or completion not in (0.0, 1.0) or not 1.0 <= aggregation < 8.0:
        raise Raised(NUM)
    moments = np.unique(times)
    if len(moments) < 2:
        raise Raised(NUM)
    return moments


def _refuse() -> NoReturn:
    raise Unsupported("forecast_ets", "Excel's fit of exponential smoothing is not published, so it cannot be repeated")


@excel(
    "FORECAST.ETS(target: number, values: array, timeline: array, [seasonality: number ~ 1], [completion: number ~ 1], "
    "[aggregation: number ~ 1]) -> number"
)
def forecast_ets(
    target: float, values: Arr, timeline: Arr, seasonality: float, completion: float, aggregation: float
) -> float:
    """A future value by exponential smoothing (not computed here); #NUM! for a time before the end of the timeline."""
    if target < _moments(values, timeline, seasonality, completion, aggregation)[-1]:
        raise Raised(NUM)
    _refuse()


@excel(
    "FORECAST.ETS.CONFINT(target: number, values: array, timeline: array, [level: number ~ 0.95], "
    "[seasonality: number ~ 1], [completion: number ~ 1], [aggregation: number ~ 1]) -> number"
)
def forecast_ets_confint(
    target: float,
    values: Arr,
    timeline: Arr,
    level: float,
    seasonality: float,
    completion: float,
    aggregation: float,
) -> float:
    """The confidence interval of a future value by exponential smoothing (not computed here)."""
    if not 0.0 < level < 1.0:
        raise Raised(NUM)
    _moments(values, timeline, seasonality, completion, aggregation)
    _refuse()


@excel(
    "FORECAST.ETS.SEASONALITY(values: array, timeline: array, [completion: number ~ 1], [aggregation: number ~ 1])"
    " -> number"
)
def forecast_ets_seasonality(values: Arr, timeline: Arr, completion: float, aggregation: float) -> float:
    """The length of the season that Excel finds in values (not computed here)."""
    _moments(values, timeline, 1.0, completion, aggregation)
    _refuse()


@excel(
    "FORECAST.ETS.STAT(values: array, timeline: array, statistic: integer, [seasonality: number ~ 1], "
    "[completion: number ~ 1], [aggregation: number ~ 1]) -> number"
)
def forecast_ets_stat(
    values: Arr, timeline: Arr, statistic: int, seasonality: float, completion: float, aggregation: float
) -> float:
    """A statistic of exponential smoothing: 8 is the step of an even timeline (the others are not computed here)."""
    if not 1 <= statistic <= _STEP:
        raise Raised(NUM)
    steps = np.diff(_moments(values, timeline, seasonality, completion, aggregation))
    if statistic == _STEP and (steps == steps[0]).all():
        return float(steps[0])
    _refuse()
