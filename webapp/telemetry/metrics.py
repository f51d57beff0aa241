"""Counters of one server in Prometheus' format; what the store holds is added when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core import __version__

# from a page to a long job
JOB_SECONDS = (1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600)
REQUEST_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)

# a gauge of the store: its text, the names of its labels, the values of these with the number
Sample = tuple[str, tuple[str, ...], Mapping[tuple[str, ...], float]]


class Metrics:
    """The counters of one server; each server of a process has its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self._registry, "namespace": "counterscan"}
        self.requests = Counter("requests", "Answered requests.", ("access", "status"), **made)
        self.request_seconds = Histogram(
            "request_seconds",
            "Time to an answer, streams of events aside.",
            ("access",),
            buckets=REQUEST_SECONDS,
            **made,
        )
        self.refusals = Counter("refusals", "Refused requests, by error code.", ("code",), **made)
        self.streams = Gauge("streams", "Open streams of events.", **made)
        self.upload_bytes = Counter("upload_bytes", "Bytes of uploads and drawn masks that arrived.", **made)
        self.job_seconds = Histogram(
            "job_seconds", "Time that jobs ran here, by how they ended.", ("task", "state"), buckets=JOB_SECONDS, **made
        )
        Gauge("info", "The version.", ("version",), **made).labels(__version__).set(1)
        ProcessCollector(namespace="counterscan", registry=self._registry)

    def job_ended(self, task: str, state: str, seconds: float) -> None:
        """Count the end of a start of a job."""
        self.job_seconds.labels(task, state).observe(seconds)

    def watch(self, read: Callable[[], Mapping[str, Sample]]) -> None:
        """Add what ``read`` returns, name -> sample, whenever the counters are read."""
        self._registry.register(_Store(read))

    def text(self) -> bytes:
        """Return every counter in Prometheus' text format; what ``watch`` was given is read, and may block."""
        return generate_latest(self._registry)


class _Store(Collector):
    def __init__(self, read: Callable[[], Mapping[str, Sample]]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that nothing is read before somebody asks."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return what the store holds now."""
        for name, (text, labels, values) in self._read().items():
            family = GaugeMetricFamily(f"counterscan_{name}", text, labels=labels)
            for key, value in values.items():
                family.add_metric(key, value)
            yield family
