"""Names of months and days for date formats with a locale (``[$-407]mmmm``), by Windows language id."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

#: Primary language id -> (months, short months, days from Sunday, short days).
_NAMES: Final = {
    0x09: (
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
        "Sun Mon Tue Wed Thu Fri Sat",
    ),
    0x07: (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag",
        "So Mo Di Mi Do Fr Sa",
    ),
    0x0C: (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "dimanche lundi mardi mercredi jeudi vendredi samedi",
        "dim. lun. mar. mer. jeu. ven. sam.",
    ),
    0x0A: (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "domingo lunes martes miércoles jueves viernes sábado",
        "do. lu. ma. mi. ju. vi. sá.",
    ),
    0x10: (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "domenica lunedì martedì mercoledì giovedì venerdì sabato",
        "dom lun mar mer gio ven sab",
    ),
    0x16: (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "domingo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado",
        "dom seg ter qua qui sex sáb",
    ),
    0x13: (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "zondag maandag dinsdag woensdag donderdag vrijdag zaterdag",
        "zo ma di wo do vr za",
    ),
}


@lru_cache(maxsize=64)
def _split(language: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(part.split()) for part in _NAMES.get(language, _NAMES[0x09]))


def month_names(locale: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(full, short) names of the months; English where the language is not known."""
    names = _split(locale & 0x3FF)
    return names[0], names[1]


def day_names(locale: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(full, short) names of the days from Sunday."""
    names = _split(locale & 0x3FF)
    return names[2], names[3]
