"""Continuous and discrete distributions: values of Microsoft's pages, errors, inverses."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, NUM, agrees, call
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("NORM.DIST", (42, 40, 1.5, True), 0.9087888),
        ("NORMDIST", (42, 40, 1.5, False), 0.10934),
        ("NORM.DIST", (42, 40, 0, True), NUM),
        ("NORM.INV", (0.908789, 40, 1.5), 42.000002),
        ("NORM.INV", (0, 40, 1.5), NUM),
        ("NORM.S.DIST", (1.333333, True), 0.908788726),
        ("NORM.S.DIST", (1.333333, False), 0.164010148),
        ("NORMSDIST", (-40,), 3.65589354e-350),
        ("NORM.S.INV", (0.908789,), 1.3333347),
        ("NORM.S.INV", (1e-300,), -37.0471),
        ("NORM.S.INV", (1,), NUM),
        ("GAUSS", (2,), 0.47725),
        ("PHI", (0.75,), 0.301137432),
        ("STANDARDIZE", (42, 40, 1.5), 1.33333333),
        ("CONFIDENCE.NORM", (0.05, 2.5, 50), 0.692951912),
        ("CONFIDENCE.T", (0.05, 1, 50), 0.284196855),
        ("CONFIDENCE.T", (0.05, 1, 1), DIV0),
        ("LOGNORM.DIST", (4, 3.5, 1.2, True), 0.0390836),
        ("LOGNORM.DIST", (4, 3.5, 1.2, False), 0.0176176),
        ("LOGNORM.INV", (0.039084, 3.5, 1.2), 4.0000252),
        ("FISHER", (0.75,), 0.9729551),
        ("FISHER", (1,), NUM),
        ("FISHERINV", (0.972955,), 0.75),
        ("EXPON.DIST", (0.2, 10, True), 0.86466472),
        ("EXPON.DIST", (0.2, 10, False), 1.35335283),
        ("EXPON.DIST", (-0.2, 10, False), NUM),
        ("WEIBULL.DIST", (105, 20, 100, True), 0.929581),
        ("WEIBULL.DIST", (105, 20, 100, False), 0.035589),
        ("GAMMA", (2.5,), 1.329340388),
        ("GAMMA", (-3.75,), 0.267866129),
        ("GAMMA", (0,), NUM),
        ("GAMMA", (-2,), NUM),
        ("GAMMALN", (4,), 1.7917595),
        ("GAMMA.DIST", (10.00001131, 9, 2, False), 0.032639),
        ("GAMMA.DIST", (10.00001131, 9, 2, True), 0.068094),
        ("GAMMA.INV", (0.068094, 9, 2), 10.0000112),
        ("GAMMA.INV", (1, 9, 2), NUM),
        ("BETA.DIST", (2, 8, 10, True, 1, 3), 0.6854706),
        ("BETA.DIST", (2, 8, 10, False, 1, 3), 1.4837646),
        ("BETADIST", (2, 8, 10, 1, 3), 0.6854706),
        ("BETA.INV", (0.685470581, 8, 10, 1, 3), 2.0),
        ("CHISQ.DIST", (0.5, 1, True), 0.52049988),
        ("CHISQ.DIST", (2, 3, False), 0.20755375),
        ("CHISQ.DIST.RT", (18.307, 10), 0.0500006),
        ("CHISQ.INV", (0.93, 1), 3.283020286),
        ("CHISQ.INV", (0.6, 2), 1.832581464),
        ("CHISQ.INV.RT", (0.050001, 10), 18.306973),
        ("CHISQ.DIST", (1, 0.9, True), NUM),
        ("F.DIST", (15.2069, 6, 4, True), 0.99),
        ("F.DIST", (15.2069, 6, 4, False), 0.0012238),
        ("F.DIST.RT", (15.20686486, 6, 4), 0.01),
        ("F.INV", (0.01, 6, 4), 0.10930991),
        ("F.INV.RT", (0.01, 6, 4), 15.20686),
        ("T.DIST", (60, 1, True), 0.99469533),
        ("T.DIST", (8, 3, False), 0.00073691),
        ("T.DIST.2T", (1.959999998, 60), 0.054645),
        ("T.DIST.RT", (1.959999998, 60), 0.027322),
        ("T.DIST.2T", (-1, 60), NUM),
        ("TDIST", (1.959999998, 60, 2), 0.054645),
        ("TDIST", (1, 60, 3), NUM),
        ("T.INV", (0.75, 2), 0.8164966),
        ("T.INV.2T", (0.546449, 60), 0.606533),
        ("TINV", (0.05, 10**10), 1.9599640),
        ("BINOM.DIST", (6, 10, 0.5, False), 0.2050781),
        ("BINOM.DIST", (6, 10, 0.5, True), 0.828125),
        ("BINOM.DIST", (11, 10, 0.5, True), NUM),
        ("BINOM.DIST.RANGE", (60, 0.75, 48), 0.083974967),
        ("BINOM.DIST.RANGE", (60, 0.75, 45, 50), 0.523629793),
        ("BINOM.INV", (6, 0.5, 0.75), 4.0),
        ("BINOM.INV", (6, 0.5, 1), NUM),
        ("NEGBINOM.DIST", (10, 5, 0.25, True), 0.3135141),
        ("NEGBINOM.DIST", (10, 5, 0.25, False), 0.0550487),
        ("NEGBINOMDIST", (10, 5, 1), NUM),
        ("POISSON.DIST", (2, 5, True), 0.124652),
        ("POISSON.DIST", (2, 5, False), 0.084224),
        ("POISSON.DIST", (0, 0, False), 1.0),
        ("POISSON.DIST", (-1, 5, True), NUM),
        ("HYPGEOM.DIST", (1, 4, 8, 20, True), 0.465428277),
        ("HYPGEOM.DIST", (1, 4, 8, 20, False), 0.363261094),
        ("HYPGEOM.DIST", (4, 4, 8, 20, True), 1.0),
        ("HYPGEOM.DIST", (5, 4, 8, 20, True), 1.0),
        ("HYPGEOM.DIST", (5, 4, 8, 20, False), NUM),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 5)


@given(st.floats(1e-12, 1 - 1e-12), st.floats(0.1, 200), st.floats(0.1, 200))
def test_inverses_lead_back(p: float, a: float, b: float) -> None:
    assert abs(call("GAMMA.DIST", call("GAMMA.INV", p, a, 1.0), a, 1.0, True) - p) <= 1e-11 * p + 1e-15
    x = call("BETA.INV", p, a, b)
    if 1e-290 < x < 0.999:  # nearer to 1 the step from one float to the next shows in p
        assert abs(call("BETA.DIST", x, a, b, True) - p) <= 1e-9 * p
    d = float(int(a) + 1)
    assert abs(call("T.DIST", call("T.INV", p, d), d, True) - p) <= 1e-11
    assert abs(call("F.DIST.RT", call("F.INV.RT", p, d, 7.0), d, 7.0) - p) <= 1e-10


def test_cumulative_discrete_is_the_sum_of_its_parts() -> None:
    for k in range(12):
        below = [float(i) for i in range(k + 1)]
        for name, args in (
            ("BINOM.DIST", (12.0, 0.3)),
            ("POISSON.DIST", (4.5,)),
            ("NEGBINOM.DIST", (3.0, 0.4)),
            ("HYPGEOM.DIST", (12.0, 30.0, 50.0)),
        ):
            parts = sum(v for (v,) in call(name, below, *args, False))
            assert agrees(call(name, float(k), *args, True), parts, 12)


def test_normal_of_an_array_is_answered_like_scalars() -> None:
    z = [-30.0, -1.5, 0.0, 2.0, 9.0, NUM]
    for below in (True, False):
        assert agrees(call("NORM.DIST", z, 0.5, 2.0, below), [call("NORM.DIST", x, 0.5, 2.0, below) for x in z], 13)
    p = [0.0, 1e-200, 0.3, 0.5, 0.999, 1.0]
    assert agrees(call("NORM.S.INV", p), [call("NORM.S.INV", x) for x in p], 13)
    assert agrees(call("NORM.INV", p, 1.0, 2.0), [call("NORM.INV", x, 1.0, 2.0) for x in p], 13)


@pytest.mark.parametrize("p", [0.49999999999915673, 0.5000000000008433, 0.2500001, 0.2499999, 0.75])
def test_the_inverse_normal_keeps_its_digits_near_the_middle(p: float) -> None:
    near = {0.49999999999915673: -2.1137641703594406e-12, 0.5000000000008433: 2.1137641703594406e-12}
    found = call("NORM.S.INV", p)
    if p in near:
        assert found == pytest.approx(near[p], rel=1e-4 if p > 0.5 else 1e-13)
    assert call("NORM.S.DIST", found, True) == pytest.approx(p, rel=1e-15)
    assert call("NORM.S.INV", [p, p])[0][0] == pytest.approx(found, rel=1e-14)
    assert call("LOGNORM.INV", 0.49999999999915673, 3.5, 1e12) == pytest.approx(3.999765880934408, rel=1e-12)
