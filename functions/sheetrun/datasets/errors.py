"""Why a dataset was refused: one class, a code per reason, and what to do in the detail."""

from __future__ import annotations


class DatasetError(Exception):
    """``code`` is stable and snake_case; ``detail`` is for people; ``part`` is a line or a column, where there is one.

    Codes: empty_file, no_rows, no_columns, json_array, bad_json, bad_csv, bad_parquet, binary_file,
    too_many_columns, unknown_task.
    """

    def __init__(self, code: str, detail: str, *, part: str | None = None) -> None:
        super().__init__(code, detail, part)
        self.code = code
        self.detail = detail
        self.part = part

    def __str__(self) -> str:
        return f"{self.detail} ({self.part})" if self.part else self.detail

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.code, self.detail, self.part)


def _again(code: str, detail: str, part: str | None) -> DatasetError:
    return DatasetError(code, detail, part=part)
