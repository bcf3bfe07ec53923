"""The job as a value: its states, its transitions, its limits and errors. Pure: no I/O, no clock, no randomness."""
