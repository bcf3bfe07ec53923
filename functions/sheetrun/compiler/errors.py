"""Why a block cannot be compiled. It keeps Excel's cached value; the reason is reported, never raised to the caller."""

from __future__ import annotations


class CannotCompile(Exception):
    """``code`` is stable and snake_case (``unknown_function``), ``detail`` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail
