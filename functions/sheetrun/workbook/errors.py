"""Why a file was refused: one code per reason, with the place and what to do.

WorkbookError
├── NotAWorkbook       not a zip, or a zip that is no .xlsx/.xlsm; says which kind it looks like
├── UnsupportedFormat  .xls, .xlsb, .ods, an encrypted workbook: says what to do
├── DamagedWorkbook    a part is missing, cut off, or is not the XML that it should be
├── NoFormulas         nothing to compile
└── LimitExceeded      too large, too many, too deep, suspicious compression
"""

from __future__ import annotations

from typing import ClassVar


class WorkbookError(Exception):
    """``code`` is stable and snake_case; ``detail`` is for people; ``part`` is the zip entry or ``Sheet!A1``."""

    code: ClassVar[str] = "workbook_error"

    def __init__(self, detail: str, *, part: str | None = None, code: str | None = None) -> None:
        super().__init__(detail, part, code)
        self.detail = detail
        self.part = part
        self.reason = code or self.code  #: a finer code where a class has several: "encrypted_workbook"

    def __str__(self) -> str:
        return f"{self.detail} ({self.part})" if self.part else self.detail


class NotAWorkbook(WorkbookError):
    code = "not_a_workbook"


class UnsupportedFormat(WorkbookError):
    code = "unsupported_format"


class DamagedWorkbook(WorkbookError):
    code = "damaged_workbook"


class NoFormulas(WorkbookError):
    code = "no_formulas"


class LimitExceeded(WorkbookError):
    code = "limit_exceeded"
