"""What a run was made of: the run record, as ``run.json`` and the report give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.declaration import Value
from core.result import Result


@dataclass(frozen=True)
class Identity:
    """A file, whatever it is called: sha256 in hexadecimal, size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class RunRecord:
    """What was run on what, with what, and what came out; the same for two runs of the same job, with no file name of
    the user.

    params: of the task, every one. inputs: input name -> file; outputs: artifact name -> file. weights: network ->
    sha256. versions: package -> version.
    """

    task: str
    params: Mapping[str, Value]
    inputs: Mapping[str, Identity]
    outputs: Mapping[str, Identity]
    weights: Mapping[str, str]
    device: str
    threads: int
    versions: Mapping[str, str]
    result: Result

    @property
    def seed(self) -> Value | None:
        """The seed of the run, None for a task without one."""
        return self.params.get("seed")
