"""What a generated script runs on: sheets and steps, Excel's values, operators and functions. Knows no compiler."""
