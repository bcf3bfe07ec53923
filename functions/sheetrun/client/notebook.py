"""A workbook as an object in Python: ``sheetrun.load("model.xlsx")``, with pandas where tables are asked for.

>>> import sheetrun
>>> model = sheetrun.load("model.xlsx")
>>> model.calculate({"Inputs!B2": 0.07})["NPV"]
>>> model.scenarios(pandas.DataFrame({"Inputs!B2": [0.05, 0.06, 0.07]}), ["NPV"])

Everything is computed here, with no service: the workbook itself and scenarios in the sandbox, calls in this process
(docs/decisions/0023). pandas is imported by what gives or takes a table.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sheetrun.client.console import count

if TYPE_CHECKING:
    import pandas

    from sheetrun.service.local import Model

_SHOWN = 20  #: rows of a printed list
_EPOCHS = {False: "1899-12-30", True: "1904-01-01"}  #: day 0 of the two date systems


class Values(dict[str, Any]):
    """Outputs by reference, as JSON values, with their labels. An Excel error is ``{"error": "#DIV/0!"}``."""

    def __init__(self, values: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        super().__init__(values)
        self.labels = dict(labels)

    def __repr__(self) -> str:
        return _listed((reference, shown(value), self.labels.get(reference, "")) for reference, value in self.items())

    def _repr_html_(self) -> str:
        rows = [(self.labels.get(reference, ""), reference, shown(value)) for reference, value in self.items()]
        return _table(("", "cell", "value"), rows)


class Workbook:
    """An opened workbook. ``sheetrun.load`` makes one."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._interface = model.interface()

    @property
    def name(self) -> str:
        return os.path.basename(self._model.path)

    @property
    def script(self) -> str:
        """The Python script that computes it."""
        return self._model.script()

    @property
    def inputs(self) -> pandas.DataFrame:
        """Cells that formulas read: reference, name, label, type, value, unit. Any other cell can be set as well."""
        return _frame(self._interface["inputs"])

    @property
    def outputs(self) -> pandas.DataFrame:
        """What the workbook computes and nothing in it reads, likewise."""
        return _frame(self._interface["outputs"])

    @property
    def report(self) -> Mapping[str, Any]:
        """How the workbook, computed as it is, compares with the values that Excel stored."""
        return self._model.run().report

    def calculate(self, inputs: Mapping[str, Any] | None = None, outputs: Iterable[str] | None = None) -> Values:
        """The outputs (by default those of ``outputs``) with some cells set first. Raises InputError, SandboxError."""
        return Values(self._model.calculate(inputs or {}, self._wanted(outputs)), self._labels)

    def scenarios(self, frame: pandas.DataFrame, outputs: Iterable[str] | None = None) -> pandas.DataFrame:
        """A row of outputs for each row of inputs, under the same index, the inputs beside them.

        A column of ``frame`` names a cell; missing values leave the workbook's own. Where an output is an error its
        value is missing, and ``result.attrs["failures"]`` tells which: (row of the result, output, error).
        """
        import pandas

        if not isinstance(frame, pandas.DataFrame):
            raise TypeError(f"scenarios are a DataFrame with a column for each input, not {type(frame).__name__}")
        single = (
            None if outputs is not None else [e["reference"] for e in self._interface["outputs"] if "shape" not in e]
        )
        wanted = self._wanted(single if single is not None else outputs)
        columns = {str(name): self._column(frame[name]) for name in frame.columns}
        table = self._model.scenarios(columns, wanted)
        result = frame.copy()
        failures: list[tuple[int, str, str]] = []
        for index, reference in enumerate(wanted):
            values = table.column(index)
            for row, value in enumerate(values):
                if isinstance(value, dict):
                    failures.append((row, reference, value["error"]))
                    values[row] = None
            result[reference] = pandas.Series(values, index=frame.index).infer_objects()
        result.attrs["failures"] = failures
        return result

    def _wanted(self, outputs: Iterable[str] | None) -> list[str]:
        if isinstance(outputs, str):
            return [outputs]
        return [entry["reference"] for entry in self._interface["outputs"]] if outputs is None else list(outputs)

    @cached_property
    def _labels(self) -> dict[str, str]:
        found = {}
        for entry in self._interface["outputs"]:
            label = str(entry["label"] or entry["name"] or "")
            found[entry["reference"]] = label
            if entry["name"]:
                found[entry["name"]] = label
        return found

    def _column(self, series: pandas.Series[Any]) -> Sequence[Any]:
        """The values of an input: numbers as an array, anything else as JSON values and OWN."""
        from pandas.api import types

        from sheetrun.service.scenarios import OWN

        if types.is_datetime64_any_dtype(series):
            day0 = _EPOCHS[self._model.workbook.settings.date1904]
            series = (series - _timestamp(day0)) / _day()
        if types.is_numeric_dtype(series) and not types.is_bool_dtype(series) and not series.isna().any():
            numbers: Sequence[Any] = series.to_numpy(dtype="float64")
            return numbers
        return [OWN if _missing(value) else _native(value) for value in series.tolist()]

    def __repr__(self) -> str:
        book = self._model.workbook
        inputs, outputs = self._interface["inputs"], self._interface["outputs"]
        lines = [f"{self.name}: {count(len(book.sheets), 'sheet')}, {count(book.formula_count, 'formula')}"]
        for title, entries in (("inputs", inputs), ("outputs", outputs)):
            if entries:
                told = _listed(
                    (e["name"] or e["reference"], shown(e["value"]), e["label"] or "") for e in entries[:_SHOWN]
                )
                lines += [f"\n{title}:", told]
                if len(entries) > _SHOWN:
                    lines.append(f"  … and {len(entries) - _SHOWN:,} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        book = self._model.workbook
        told = f"{count(len(book.sheets), 'sheet')}, {count(book.formula_count, 'formula')}"
        parts = [f"<b>{html.escape(self.name)}</b>: {told}"]
        for title in ("inputs", "outputs"):
            entries = self._interface[title]
            rows = [(e["label"] or "", e["name"] or e["reference"], shown(e["value"])) for e in entries[:_SHOWN]]
            if rows:
                more = f" ({_SHOWN} of {len(entries):,})" if len(entries) > _SHOWN else ""
                parts.append(
                    f"<details open><summary>{title}{more}</summary>{_table(('', 'cell', 'value'), rows)}</details>"
                )
        return "\n".join(parts)


def load(path: str | Path) -> Workbook:
    """Reads and compiles a workbook. Raises WorkbookError for a file that cannot be used, OSError."""
    from sheetrun.service.local import open_model

    return Workbook(open_model(path))


def shown(value: Any) -> str:
    """A value as a person reads it, in little room."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dict):
        return str(value["error"])
    if isinstance(value, list):
        return f"{len(value):,} × {len(value[0]):,} cells"
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) >= 10_000 else f"{value:.10g}"
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _listed(rows: Iterable[tuple[str, str, str]]) -> str:
    """Lines in columns."""
    every = list(rows)
    wide = min(max((len(row[0]) for row in every), default=0), 40)
    value = min(max((len(row[1]) for row in every), default=0), 40)
    return "\n".join(f"  {name:<{wide}}  {shown_:>{value}}  {label}".rstrip() for name, shown_, label in every)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """HTML in which nothing of a workbook is markup."""
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row[:-1]))}{_cell(row[-1], 'right')}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str, side: str = "left") -> str:
    return f'<td style="text-align:{side}">{html.escape(text)}</td>'


def _frame(entries: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    import pandas

    columns = ("reference", "name", "label", "type", "value", "unit")
    return pandas.DataFrame([[entry.get(column) for column in columns] for entry in entries], columns=list(columns))


def _timestamp(text: str) -> Any:
    import pandas

    return pandas.Timestamp(text)


def _day() -> Any:
    import pandas

    return pandas.Timedelta(days=1)


def _missing(value: Any) -> bool:
    import pandas

    return (
        value is None or value is pandas.NA or value is pandas.NaT or (isinstance(value, float) and math.isnan(value))
    )


def _native(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
