"""The units that CONVERT knows, their factors and the prefixes they take.

Names are case-sensitive. A name as it stands comes before a prefix with a shorter one ("cel", "mn"). Which unit takes a
prefix is as measured in Excel: "Mmph" and "Muk_pt" are good there, "MTorr" and "Mha" are not.
Sources: Microsoft, "CONVERT function"; NIST Special Publication 811; values of Excel where it keeps older constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """``factor`` base units of what it ``measures``; ``zero`` is added first (scales with another start)."""

    measures: str
    factor: float
    power: int = 0  #: the power a prefix is raised to; 0: takes none
    zero: float = 0.0


_PREFIXES: Final = {
    "Y": 1e24,
    "Z": 1e21,
    "E": 1e18,
    "P": 1e15,
    "T": 1e12,
    "G": 1e9,
    "M": 1e6,
    "k": 1e3,
    "h": 1e2,
    "da": 1e1,
    "e": 1e1,
    "d": 1e-1,
    "c": 1e-2,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
    "a": 1e-18,
    "z": 1e-21,
    "y": 1e-24,
}
_BINARY: Final = {
    name: 2.0 ** (10 * (i + 1)) for i, name in enumerate(("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"))
}

_INCH: Final = 0.0254
_FOOT: Final = 0.3048
_YARD: Final = 0.9144
_MILE: Final = 1609.344
_NAUTICAL: Final = 1852.0
_LIGHT_YEAR: Final = 9460730472580800.0
_POINT: Final = _INCH / 72.0
_GALLON: Final = 231.0 * _INCH**3
_IMPERIAL_GALLON: Final = 0.00454609
_POUND: Final = 453.59237
_GRAVITY: Final = 9.80665
_POUND_FORCE: Final = _POUND / 1000.0 * _GRAVITY
_HORSEPOWER: Final = 550.0 * _FOOT * _POUND_FORCE

#: measure -> (names, factor, power of the prefix)
_TABLE: Final[dict[str, tuple[tuple[str, float, int], ...]]] = {
    "mass": (  # gram
        ("g", 1.0, 1),
        ("sg", _POUND * _GRAVITY / _FOOT, 0),
        ("lbm", _POUND, 0),
        ("u", 1.660538782e-24, 1),
        ("ozm", _POUND / 16.0, 0),
        ("grain", _POUND / 7000.0, 0),
        ("cwt shweight", _POUND * 100.0, 0),
        ("uk_cwt lcwt hweight", _POUND * 112.0, 0),
        ("stone", _POUND * 14.0, 0),
        ("ton", _POUND * 2000.0, 0),
        ("uk_ton LTON brton", _POUND * 2240.0, 0),
    ),
    "distance": (  # metre
        ("m", 1.0, 1),
        ("mi", _MILE, 0),
        ("Nmi", _NAUTICAL, 0),
        ("in", _INCH, 0),
        ("ft", _FOOT, 0),
        ("yd", _YARD, 0),
        ("ang", 1e-10, 1),
        ("ell", 1.143, 0),
        ("ly", _LIGHT_YEAR, 1),
        ("parsec pc", 3.08567758128155e16, 1),
        ("Picapt Pica", _POINT, 0),
        ("pica", _POINT * 12.0, 0),
        ("survey_mi", 6336000.0 / 3937.0, 0),
    ),
    "time": (  # second
        ("yr", 31557600.0, 0),
        ("day d", 86400.0, 0),
        ("hr", 3600.0, 0),
        ("mn min", 60.0, 0),
        ("sec s", 1.0, 1),
    ),
    "pressure": (  # pascal
        ("Pa p", 1.0, 1),
        ("atm at", 101325.0, 1),
        ("mmHg", 133.322, 1),
        ("psi", _POUND_FORCE / _INCH**2, 0),
        ("Torr", 101325.0 / 760.0, 0),
    ),
    "force": (  # newton
        ("N", 1.0, 1),
        ("dyn dy", 1e-5, 1),
        ("lbf", _POUND_FORCE, 0),
        ("pond", _GRAVITY / 1000.0, 1),
    ),
    "energy": (  # joule
        ("J", 1.0, 1),
        ("e", 1e-7, 1),
        ("c", 4.184, 1),
        ("cal", 4.1868, 1),
        ("eV ev", 1.602176487e-19, 1),
        ("HPh hh", _HORSEPOWER * 3600.0, 0),
        ("Wh wh", 3600.0, 1),
        ("flb", _FOOT * _POUND_FORCE, 0),
        ("BTU btu", 1055.05585262, 0),
    ),
    "power": (  # watt
        ("HP h", _HORSEPOWER, 0),
        ("PS", 735.49875, 0),
        ("W w", 1.0, 1),
    ),
    "magnetism": (("T", 1.0, 1), ("ga", 1e-4, 1)),  # tesla
    "volume": (  # cubic metre
        ("tsp", _GALLON / 768.0, 0),
        ("tspm", 5e-6, 0),
        ("tbs", _GALLON / 256.0, 0),
        ("oz", _GALLON / 128.0, 0),
        ("cup", _GALLON / 16.0, 0),
        ("pt us_pt", _GALLON / 8.0, 0),
        ("uk_pt", _IMPERIAL_GALLON / 8.0, 1),
        ("qt", _GALLON / 4.0, 0),
        ("uk_qt", _IMPERIAL_GALLON / 4.0, 0),
        ("gal", _GALLON, 0),
        ("uk_gal", _IMPERIAL_GALLON, 0),
        ("l L lt", 0.001, 1),
        ("ang3 ang^3", 1e-30, 3),
        ("barrel", _GALLON * 42.0, 0),
        ("bushel", 2150.42 * _INCH**3, 0),
        ("ft3 ft^3", _FOOT**3, 0),
        ("in3 in^3", _INCH**3, 0),
        ("ly3 ly^3", _LIGHT_YEAR**3, 0),
        ("m3 m^3", 1.0, 3),
        ("mi3 mi^3", _MILE**3, 0),
        ("yd3 yd^3", _YARD**3, 0),
        ("Nmi3 Nmi^3", _NAUTICAL**3, 0),
        ("Picapt3 Picapt^3 Pica3 Pica^3", _POINT**3, 0),
        ("GRT regton", 100.0 * _FOOT**3, 0),
        ("MTON", 40.0 * _FOOT**3, 0),
    ),
    "area": (  # square metre
        ("uk_acre", 4046.8564224, 0),
        ("us_acre", 43560.0 * (1200.0 / 3937.0) ** 2, 0),
        ("ang2 ang^2", 1e-20, 2),
        ("ar", 100.0, 1),
        ("ft2 ft^2", _FOOT**2, 0),
        ("ha", 10000.0, 0),
        ("in2 in^2", _INCH**2, 0),
        ("ly2 ly^2", _LIGHT_YEAR**2, 0),
        ("m2 m^2", 1.0, 2),
        ("Morgen", 2500.0, 0),
        ("mi2 mi^2", _MILE**2, 0),
        ("Nmi2 Nmi^2", _NAUTICAL**2, 0),
        ("Picapt2 Picapt^2 Pica2 Pica^2", _POINT**2, 0),
        ("yd2 yd^2", _YARD**2, 0),
    ),
    "information": (("bit", 1.0, 1), ("byte", 8.0, 1)),  # bit
    "speed": (  # metre per second
        ("admkn", 6080.0 * _FOOT / 3600.0, 0),
        ("kn", _NAUTICAL / 3600.0, 0),
        ("m/h m/hr", 1.0 / 3600.0, 1),
        ("m/s m/sec", 1.0, 1),
        ("mph", _MILE / 3600.0, 1),
    ),
}

_UNITS: Final = {
    name: Unit(measure, factor, power)
    for measure, rows in _TABLE.items()
    for names, factor, power in rows
    for name in names.split()
} | {
    "K": Unit("temperature", 1.0, 1),
    "kel": Unit("temperature", 1.0, 1),
    "C": Unit("temperature", 1.0, zero=273.15),
    "cel": Unit("temperature", 1.0, zero=273.15),
    "F": Unit("temperature", 5.0 / 9.0, zero=459.67),
    "fah": Unit("temperature", 5.0 / 9.0, zero=459.67),
    "Rank": Unit("temperature", 5.0 / 9.0),
    "Reau": Unit("temperature", 1.25, zero=273.15 / 1.25),
}


def units_named(name: str) -> Iterator[Unit]:
    """The units that a name may stand for, with a prefix worked into the factor."""
    if name in _UNITS:
        yield _UNITS[name]
    for length in (1, 2):
        base = _UNITS.get(name[length:])
        if base is None or not base.power:
            continue
        scale = _PREFIXES.get(name[:length])
        if scale is None and base.measures == "information":
            scale = _BINARY.get(name[:length])
        if scale is not None:
            yield Unit(base.measures, base.factor * scale**base.power)
