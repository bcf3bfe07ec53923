"""Functions that need what is not in the workbook: servers, cubes, add-ins, pictures, languages.

None can be computed from the file alone; a cell that uses one keeps the value that Excel cached, with the reason.
"""

from __future__ import annotations

from typing import Final, NoReturn

from sheetrun.runtime.errors import Unsupported
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Value

_REASONS: Final = {
    ("cube", "asks an OLAP cube on a server"): (
        "CUBEKPIMEMBER",
        "CUBEMEMBER",
        "CUBEMEMBERPROPERTY",
        "CUBERANKEDMEMBER",
        "CUBESET",
        "CUBESETCOUNT",
        "CUBEVALUE",
    ),
    ("web_service", "reads from the network, which a calculation does not do"): ("WEBSERVICE",),
    ("online_data", "asks a market data service"): ("STOCKHISTORY",),
    ("real_time_data", "asks a real-time data server on the machine"): ("RTD",),
    ("linked_data_type", "reads a field of a linked data type, which is kept by a service"): ("FIELDVALUE",),
    ("picture", "shows a picture in a cell"): ("IMAGE",),
    ("other_file", "reads another file"): ("IMPORTCSV", "IMPORTTEXT"),
    ("language_service", "asks a language service"): ("DETECTLANGUAGE", "TRANSLATE", "COPILOT"),
    ("python_in_excel", "runs Python in Microsoft's cloud"): ("PY",),
    ("add_in", "calls code outside the workbook"): ("CALL", "REGISTER.ID"),
}


def _declare(name: str, code: str, reason: str) -> None:
    def refuse(*arguments: Value) -> NoReturn:
        raise Unsupported(code, f"{name} {reason}")

    refuse.__doc__ = f"Not computed: it {reason}."
    excel(f"{name}(*arguments: raw) -> any")(refuse)


for (_code, _reason), _names in _REASONS.items():
    for _name in _names:
        _declare(_name, _code, _reason)
