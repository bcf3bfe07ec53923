"""Chaos: the real use cases under seeded schedules of deaths, doubled messages, faults and lost time."""
