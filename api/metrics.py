"""What /metrics counts: requests by route and status, their duration, and which build this is."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counters of one application; each has a registry of its own, so that two can live in one process."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        build = Gauge("studio_build_info", "Which build this is; always 1.", ["version"], registry=self.registry)
        build.labels(version).set(1)
        self._requests = Counter(
            "studio_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "studio_http_request_seconds",
            "Time until the first byte of the answer.",
            ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; ``route`` is the pattern, never the path, so that ids do not become series."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self.registry)
