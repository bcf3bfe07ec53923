"""Runs generated scripts where they can do no harm: vocabulary check, limits, kernel layers, framing. Knows no workbook."""
