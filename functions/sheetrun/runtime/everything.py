"""Importing this loads all of Excel's functions: for a process that stays and forks (a warm sandbox)."""

from __future__ import annotations

from sheetrun.runtime import api
from sheetrun.runtime.functions import load_all

load_all()

__all__ = ["api"]
