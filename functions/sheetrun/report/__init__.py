"""Reports that people read: HTML pages and SVG pictures from plain values. No network, no scripts, no other room.

>>> from sheetrun.report import render_html, render_graph
"""

from __future__ import annotations

from sheetrun.report.graph import Node, block_graph, render_graph
from sheetrun.report.workbook import render_html

__all__ = ["Node", "block_graph", "render_graph", "render_html"]
