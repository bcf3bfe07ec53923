"""Tests of the formula room: text to tree and back."""
