"""What a sandboxed run may use at most."""

from __future__ import annotations

from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Each is enforced on its own; see ``layers`` for how. Defaults suit a large workbook in a 2 GiB function."""

    wall_seconds: float = 60.0  #: from handing over the job to its result
    cpu_seconds: float = 60.0  #: processor time of the job's process, rounded up to whole seconds
    memory_bytes: int = 1024 * 2**20  #: address space on top of the interpreter with its imports
    output_bytes: int = 256 * 2**20  #: the result payload
    scratch_bytes: int = 0  #: all files in the scratch directory together; 0: no file can be written at all
    scratch_files: int = 100  #: how many files there may be in the scratch directory
    files: int = 32  #: open file descriptors
    processes: int = 0  #: further processes or threads of the job's user

    def __post_init__(self) -> None:
        if not (self.wall_seconds > 0 and self.cpu_seconds > 0):
            raise ValueError("wall_seconds and cpu_seconds must be above 0")
        if self.memory_bytes < 2**20 or self.output_bytes < 0:
            raise ValueError("memory_bytes must be at least 1 MiB, output_bytes at least 0")
        if self.files < 8 or min(self.scratch_bytes, self.scratch_files, self.processes) < 0:
            raise ValueError("files must be at least 8, the other limits at least 0")
