"""Why an input or an output that a caller names cannot be used."""

from __future__ import annotations


class InputError(Exception):
    """``code`` is stable (``unknown_reference``), ``reference`` is what the caller wrote."""

    def __init__(self, code: str, detail: str, reference: str) -> None:
        super().__init__(code, detail, reference)
        self.code = code
        self.detail = detail
        self.reference = reference

    def __str__(self) -> str:
        return self.detail
