"""The service under load. ``make load`` runs all of it; ``tests/e2e/test_load.py`` a short version."""
