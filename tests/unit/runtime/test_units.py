"""CONVERT: every unit against its value in Excel, which prefixes it takes, and what does not go together."""

from __future__ import annotations

from typing import Any

import pytest
from calls import NA, VALUE, agrees, call
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import units

#: unit: (base unit, how many of it, whether Excel takes "M" before it, as measured)
KNOWN = {
    "sg": ("g", 14593.902937206363, False),
    "lbm": ("g", 453.59237, False),
    "u": ("g", 1.660538782e-24, True),
    "grain": ("g", 0.06479891, False),
    "shweight": ("g", 45359.237, False),
    "lcwt": ("g", 50802.34544, False),
    "stone": ("g", 6350.29318, False),
    "ton": ("g", 907184.74, False),
    "LTON": ("g", 1016046.9088, False),
    "Nmi": ("m", 1852.0, False),
    "ang": ("m", 1e-10, True),
    "ell": ("m", 1.143, False),
    "ly": ("m", 9460730472580800.0, True),
    "parsec": ("m", 3.0856775812815532e16, True),
    "Pica": ("m", 0.0003527777777777778, False),
    "pica": ("m", 0.004233333333333334, False),
    "survey_mi": ("m", 1609.3472186944373, False),
    "yr": ("s", 31557600.0, False),
    "mn": ("s", 60.0, False),
    "atm": ("Pa", 101325.0, True),
    "mmHg": ("Pa", 133.322, True),
    "psi": ("Pa", 6894.757293168362, False),
    "Torr": ("Pa", 133.32236842105263, False),
    "lbf": ("N", 4.4482216152605005, False),
    "pond": ("N", 0.00980665, True),
    "c": ("J", 4.184, True),
    "cal": ("J", 4.1868, True),
    "eV": ("J", 1.602176487e-19, True),
    "HPh": ("J", 2684519.537696173, False),
    "flb": ("J", 1.3558179483314003, False),
    "BTU": ("J", 1055.05585262, False),
    "HP": ("W", 745.6998715822702, False),
    "PS": ("W", 735.49875, False),
    "ga": ("T", 0.0001, True),
    "tsp": ("m3", 4.92892159375e-06, False),
    "tspm": ("m3", 5e-06, False),
    "oz": ("m3", 2.9573529562499998e-05, False),
    "uk_pt": ("m3", 0.00056826125, True),
    "uk_gal": ("m3", 0.00454609, False),
    "lt": ("m3", 0.001, True),
    "barrel": ("m3", 0.158987294928, False),
    "bushel": ("m3", 0.03523907016688, False),
    "ly3": ("m3", 8.467866646237152e47, False),
    "mi^3": ("m3", 4168181825.4405794, False),
    "Pica3": ("m3", 4.3903956618655696e-11, False),
    "regton": ("m3", 2.8316846592, False),
    "MTON": ("m3", 1.13267386368, False),
    "uk_acre": ("m2", 4046.8564224, False),
    "us_acre": ("m2", 4046.8726098742522, False),
    "ar": ("m2", 100.0, True),
    "ha": ("m2", 10000.0, False),
    "ly^2": ("m2", 8.95054210748189e31, False),
    "Morgen": ("m2", 2500.0, False),
    "byte": ("bit", 8.0, True),
    "admkn": ("m/s", 0.5147733333333333, False),
    "kn": ("m/s", 0.5144444444444445, False),
    "m/h": ("m/s", 0.0002777777777777778, True),
    "mph": ("m/s", 0.44704, True),
}


@pytest.mark.parametrize("unit", KNOWN)
def test_units(unit: str) -> None:
    base, factor, prefixed = KNOWN[unit]
    assert agrees(call("CONVERT", 1, unit, base), factor, 12)
    mega = call("CONVERT", 1, "M" + unit, base)
    assert agrees(mega, factor * 1e6, 12) if prefixed else mega is NA


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((1, "lbm", "kg"), 0.45359237),
        ((68, "F", "C"), 20.0),
        ((2.5, "ft", "sec"), NA),
        ((100, "ft2", "m^2"), 9.290304),
        ((0, "K", "C"), -273.15),
        ((1, "C", "K"), 274.15),
        ((1, "F", "K"), 255.92777777777775),
        ((1, "Rank", "kel"), 0.5555555555555556),
        ((1, "Reau", "K"), 274.4),
        ((12, "MK", "K"), 12000000.0),
        ((12, "MC", "K"), NA),
        ((0.05, "Mang2", "m2"), 5e-10),
        ((0.0002, "Mm3", "m3"), 2e14),
        ((0.0002, "Mang^3", "m3"), 2e-16),
        ((1, "kibyte", "bit"), 8192.0),
        ((1, "Yibit", "bit"), 2.0**80),
        ((1, "kim", "m"), NA),
        ((1, "dam", "m"), 10.0),
        ((1, "em", "m"), 10.0),
        ((1, "mbyte", "bit"), 0.008),
        ((1, "M", "m"), NA),
        ((1, "KG", "g"), NA),
        ((1, "", "m"), NA),
        ((1, None, "m"), NA),
        (("x", "g", "kg"), VALUE),
        ((True, "g", "kg"), VALUE),
        (("2", "g", "mg"), 2000.0),
        ((68, "F", "F"), 68.0),
    ],
)
def test_conversions(arguments: tuple[Any, ...], expected: Any) -> None:
    assert agrees(call("CONVERT", *arguments), expected, 12)


@given(st.floats(-1e6, 1e6), st.data())
def test_there_and_back(number: float, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(sorted(units._UNITS)))
    alike = [name for name, unit in units._UNITS.items() if unit.measures == units._UNITS[source].measures]
    target = data.draw(st.sampled_from(sorted(alike)))
    there = call("CONVERT", number, source, target)
    assert call("CONVERT", there, target, source) == pytest.approx(number, rel=1e-9, abs=1e-6)
