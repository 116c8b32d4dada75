"""What /metrics counts: requests of this process, and what became of posts in the whole installation."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from db.queries.measures import Measure

_TOTALS = {
    "published": "Posts that went live.",
    "failed": "Posts that did not go out and wait for a person.",
    "unconfirmed": "Posts whose outcome stayed unknown.",
    "missed": "Posts whose time went by without a try.",
}
_GAUGES = {
    "due": ("studio_posts_due", "Posts whose time has come and that no process has claimed."),
    "oldest_due_seconds": ("studio_posts_oldest_due_seconds", "How long the longest waiting of them has been due."),
    "publishing": ("studio_posts_publishing", "Posts on their way to a network."),
    "unconfirmed_waiting": ("studio_posts_unconfirmed_waiting", "Posts in doubt that wait for a person."),
}


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

    def text(self, measures: Sequence[Measure] | None, *, platforms: Iterable[str]) -> bytes:
        """Everything, in the text format of Prometheus; ``measures`` None: the database does not answer.

        Every one of ``platforms`` has its totals from the first scrape on, 0 too, so that a rate has a beginning.
        """
        shared = CollectorRegistry()
        shared.register(_Installation(measures, frozenset(platforms)))
        return generate_latest(self.registry) + generate_latest(shared)


class _Installation(Collector):
    """What all processes share, as the database told it."""

    def __init__(self, measures: Sequence[Measure] | None, platforms: frozenset[str]) -> None:
        self._measures = measures
        self._platforms = platforms

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "studio_database_up", "Whether the database answered this scrape.", value=float(self._measures is not None)
        )
        if self._measures is None:
            return
        told = {(each.name, each.platform): each.value for each in self._measures}
        platforms = sorted(self._platforms | {each.platform for each in self._measures if each.platform is not None})
        for outcome, meaning in _TOTALS.items():
            family = CounterMetricFamily(f"studio_posts_{outcome}", meaning, labels=["platform"])
            for platform in platforms:
                family.add_metric([platform], told.get((outcome, platform), 0.0))
            yield family
        for measure, (name, meaning) in _GAUGES.items():
            yield GaugeMetricFamily(name, meaning, value=told.get((measure, None), 0.0))
