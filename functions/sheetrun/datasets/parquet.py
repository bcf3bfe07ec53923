"""The columns of a Parquet file, read inside the sandbox. Without pandas, which the function parse does not ship."""

from __future__ import annotations

import re
from typing import Final

from sheetrun.datasets.errors import DatasetError
from sheetrun.datasets.sniff import json_text

MOST_CELLS: Final = 100_000_000


def parquet_columns(data: bytes) -> list[tuple[str, str, list[str]]]:
    """(name, pyarrow's type, a sample of texts) of each column. Raises DatasetError."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(arrow.BufferReader(data), pre_buffer=False)
        cells = file.metadata.num_rows * file.metadata.num_columns
        if cells > MOST_CELLS:  # a run of one value takes a few bytes in the file, however long it is
            raise DatasetError("too_many_cells", f"The Parquet file has {cells:,} values; the limit is {MOST_CELLS:,}.")
        sample = next(file.iter_batches(batch_size=2000, use_threads=False), None)
        fields = [(field.name, str(field.type)) for field in file.schema_arrow]
    except (arrow.ArrowException, ValueError, OSError) as error:
        raise DatasetError("bad_parquet", f"The Parquet file cannot be read: {error}") from None
    if sample is None:
        raise DatasetError("no_rows", "The Parquet file has no rows.")
    plain = re.compile("string|large_string|dictionary")
    return [
        (name, kind, [json_text(v) for v in sample.column(i).to_pylist()] if plain.match(kind) else [])
        for i, (name, kind) in enumerate(fields)
    ]
