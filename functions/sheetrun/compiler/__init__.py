"""The compiler: workbook → resolved blocks → dependency graph → schedule → Python script with a line map."""
