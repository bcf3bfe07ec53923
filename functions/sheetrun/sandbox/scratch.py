"""The one directory that a job may write to: made, weighed while the job runs, and removed whatever became of it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile

from .errors import OutputTooLarge
from .limits import Limits


def make_scratch() -> str:
    """The path of a fresh directory."""
    return tempfile.mkdtemp(prefix="sheetrun-")


def weigh_scratch(directory: str, limits: Limits) -> None:
    """All files together. The directory is flat and nothing in it can be unlinked (``landlock``)."""
    if not limits.scratch_bytes:
        return
    size = count = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            count += 1
            size += entry.stat(follow_symlinks=False).st_size
    if size > limits.scratch_bytes:
        raise OutputTooLarge("scratch", limits.scratch_bytes)
    if count > limits.scratch_files:
        raise OutputTooLarge("scratch", limits.scratch_files)


def remove_scratch(directory: str) -> None:
    """Also when the job took the permissions away from what it left there, or put a link in its place."""
    if os.path.islink(directory):
        os.unlink(directory)
    elif os.path.isdir(directory):
        os.chmod(directory, stat.S_IRWXU)
        for parent, names, _files in os.walk(directory):  # from the top, so that each is open before it is entered
            for name in names:
                path = os.path.join(parent, name)
                if not os.path.islink(path):
                    os.chmod(path, stat.S_IRWXU)
        shutil.rmtree(directory)
