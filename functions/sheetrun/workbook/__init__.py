"""An .xlsx file as values, and back: its cells, formulas in blocks, names, tables, pivots. Computes nothing."""
