"""Sheetrun: spreadsheets as programs, compiled to Python and proved against Excel."""

__version__ = "0.1.0"
