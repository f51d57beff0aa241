"""The actors of one engine: as many as it has slots, spread over the nodes, each replaced when it is lost."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayError

from core.engine.ray.actor import JobRunner
from core.engine.ray.ray_plan import Plan, program
from core.errors import UserError

log = logging.getLogger(__name__)

# seconds after which an actor that does not answer is lost, and between two tries to start one
PATIENCE, PAUSE = 15.0, 5.0
# seconds for which a job waits for an actor while none can be started
LONGEST_WAIT = 600.0
# pieces of files on their way from one job at a time, so that they fit into the shared memory of a node
ON_THE_WAY = 8


class Crew:
    """Actors that have answered and are free, and those that still start; safe to use from several threads."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free: queue.SimpleQueue[ActorHandle[JobRunner]] = queue.SimpleQueue()
        self._trouble = "No node has the free cores that a worker needs."
        kind = ray.remote(max_restarts=0, max_task_retries=0, max_concurrency=4)(JobRunner)
        self._kind = kind.options(scheduling_strategy="SPREAD", **_share(plan))
        for _ in range(plan.slots):
            self._hire()

    def take(self, gone: threading.Event) -> ActorHandle[JobRunner] | None:
        """Return a free actor that answers, waiting for one; None once ``gone``. UserError ray_no_worker."""
        end = time.monotonic() + LONGEST_WAIT
        while not gone.is_set():
            try:
                actor = self._free.get(timeout=0.1)
            except queue.Empty:
                if time.monotonic() < end:
                    continue
                raise UserError("ray_no_worker", "No worker of the Ray cluster could be had.", self._trouble) from None
            if answers(actor):
                return actor
            self.replace(actor)
        return None

    def give(self, actor: ActorHandle[JobRunner]) -> None:
        """Take an actor back whose job is over."""
        self._free.put(actor)

    def replace(self, actor: ActorHandle[JobRunner]) -> None:
        """Kill an actor and start another."""
        ray.kill(actor)
        self._hire()

    def _hire(self) -> None:
        threading.Thread(target=self._hired, name="hire", daemon=True).start()

    def _hired(self) -> None:
        while True:
            actor = self._kind.remote(self._plan.to_json())
            try:
                # an actor for which there is no place is waited for
                theirs = ray.get(actor.program.remote())
                if theirs == program():
                    self._free.put(actor)
                    return
                self._trouble = f"A node has {theirs}; this machine has {program()}. Install the same on both."
            except RayError as error:
                self._trouble = f"A node could not start one: {str(error).strip().splitlines()[-1][:200]}"
            log.error("no worker: %s", self._trouble)
            ray.kill(actor)
            time.sleep(PAUSE)


def answers(actor: ActorHandle[JobRunner]) -> bool:
    """Return whether an actor answers."""
    try:
        ray.get(actor.ping.remote(), timeout=PATIENCE)
    except (RayError, GetTimeoutError):
        return False
    return True


def _share(plan: Plan) -> dict[str, float]:
    """Return what of a node one actor takes: GPUs are divided among the slots, so that all of them find a place."""
    gpus = ray.cluster_resources().get("GPU", 0.0)
    if plan.device == "cpu" or not gpus:
        return {"num_cpus": plan.threads if plan.address else 1}
    return {"num_cpus": 1, "num_gpus": 1 / math.ceil(plan.slots / gpus)}
