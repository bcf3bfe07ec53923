"""What the step generate made, as the one object that it hands on: fewer requests to the store than a part each.

::

    four lengths, u64 little-endian · script · line map · what was not compiled (JSON) · inputs and outputs (JSON)
"""

from __future__ import annotations

import json
import struct
from typing import Final

from sheetrun.service.compute import Generated
from sheetrun.workbook.store import BadArtefact

_LENGTHS: Final = struct.Struct("<4Q")


def pack(generated: Generated) -> bytes:
    parts = (
        generated.script.encode(),
        generated.line_map,
        json.dumps(list(generated.unsupported)).encode(),
        generated.ports,
    )
    return b"".join([_LENGTHS.pack(*map(len, parts)), *parts])


def unpack(data: bytes) -> Generated:
    """Raises BadArtefact for bytes that ``pack`` did not make."""
    if len(data) < _LENGTHS.size:
        raise BadArtefact("This is not what the step generate made.")
    lengths = _LENGTHS.unpack_from(data)
    if _LENGTHS.size + sum(lengths) != len(data):
        raise BadArtefact("What the step generate made is not whole.")
    parts, at = [], _LENGTHS.size
    for length in lengths:
        parts.append(data[at : at + length])
        at += length
    script, line_map, unsupported, ports = parts
    return Generated(script.decode(), line_map, tuple(json.loads(unsupported)), ports)
