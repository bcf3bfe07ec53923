"""The benchmark: ``make bench`` measures Sheetrun beside its peers in one run and writes docs/benchmarks.md."""
