"""Special functions against values of 30 digits (computed with mpmath), in the middle and far in both tails."""

from __future__ import annotations

import pytest

from sheetrun.runtime import special


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (special.gamma_lower(0.5, 0.1), 0.34527915398142298),
        (special.gamma_upper(0.5, 0.1), 0.65472084601857702),
        (special.gamma_lower(3.0, 2.0), 0.323323583816936541),
        (special.gamma_upper(3.0, 2.0), 0.676676416183063459),
        (special.gamma_lower(3.0, 40.0), 0.999999999999996427),
        (special.gamma_upper(3.0, 40.0), 3.57286592870022635e-15),
        (special.gamma_lower(250.0, 200.0), 3.62070458289693132e-4),
        (special.gamma_upper(250.0, 200.0), 0.999637929541710307),
        (special.gamma_lower(250.0, 300.0), 0.998622528122471798),
        (special.gamma_upper(250.0, 300.0), 1.37747187752820201e-3),
        (special.gamma_lower(10000.0, 9800.0), 0.0222075438139696939),
        (special.gamma_upper(10000.0, 9800.0), 0.977792456186030306),
        (special.gamma_lower(0.01, 1e-06), 0.875933759832353305),
        (special.gamma_upper(0.01, 1e-06), 0.124066240167646695),
        (special.beta_lower(0.25, 0.75, 2.0, 3.0), 0.26171875),
        (special.beta_upper(0.25, 0.75, 2.0, 3.0), 0.73828125),
        (special.beta_lower(0.125, 0.875, 0.5, 0.5), 0.230053456162615885),
        (special.beta_upper(0.125, 0.875, 0.5, 0.5), 0.769946543837384115),
        (special.beta_lower(0.75, 0.25, 30.0, 0.5), 3.50699198064758344e-5),
        (special.beta_upper(0.75, 0.25, 30.0, 0.5), 0.999964930080193524),
        (special.beta_lower(0.5, 0.5, 400.0, 300.0), 7.581269960249226e-5),
        (special.beta_upper(0.5, 0.5, 400.0, 300.0), 0.999924187300397508),
        (special.beta_lower(0.0078125, 0.9921875, 8.0, 1000.0), 0.528834046903396524),
        (special.beta_upper(0.0078125, 0.9921875, 8.0, 1000.0), 0.471165953096603476),
        (special.beta_lower(0.0009765625, 0.9990234375, 5.0, 5.0), 1.1154664608954682e-13),
        (special.beta_upper(0.0009765625, 0.9990234375, 5.0, 5.0), 0.999999999999888453),
        (special.normal_cdf(-12.0), 1.776482112077679e-33),
        (special.normal_cdf(-1.0), 0.158655253931457051),
        (special.normal_cdf(0.25), 0.598706325682923724),
        (special.normal_cdf(3.0), 0.998650101968369905),
        (special.normal_inverse(1e-100), -21.2734535609653243),
        (special.normal_inverse(0.001), -3.09023230616781354),
        (special.normal_inverse(0.25), -0.674489750196081743),
        (special.normal_inverse(0.875), 1.15034938037600818),
        (special.normal_inverse(0.5000000009313226), 2.33447949833329814e-9),
        (special.poisson_density(3.0, 2.5), 0.213763017249736446),
        (special.poisson_density(150.0, 100.0), 6.51116046878634264e-7),
        (special.poisson_density(1000000.0, 1000000.0), 3.9894224715624403e-4),
        (special.binomial_density(3.0, 10.0, 0.25, 0.75), 0.25028228759765625),
        (special.binomial_density(400.0, 1000.0, 0.5, 0.5), 4.6339080740497339e-11),
    ],
)
def test_values(got: float, wanted: float) -> None:
    assert got == pytest.approx(wanted, rel=3e-13)


def test_pairs_add_up_to_one() -> None:
    for a in (0.01, 0.5, 3.0, 250.0, 1e5):
        for x in (0.2 * a, a, 2.0 * a):
            assert special.gamma_lower(a, x) + special.gamma_upper(a, x) == pytest.approx(1.0, abs=1e-14)
            share = x / (x + 3.0)
            lower = special.beta_lower(share, 3.0 / (x + 3.0), a, 2.5)
            assert lower + special.beta_upper(share, 3.0 / (x + 3.0), a, 2.5) == pytest.approx(1.0, abs=1e-14)
