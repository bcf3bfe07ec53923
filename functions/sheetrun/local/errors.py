"""What stops the embedded run, each as one line for people."""

from __future__ import annotations


class LocalError(Exception):
    """``str()`` says what is wrong and what to do."""
