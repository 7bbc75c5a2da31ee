"""Measures of a running venue, and how Prometheus reads them. Nothing is kept here: each scrape asks for all of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Labels = Mapping[str, str]
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How values are spread: `counts` for each upper end of `bounds`, and one more for what is beyond; `total` is the
    sum of the values."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: a name as Prometheus has them (without the prefix `ontherun_`), what it is, and its values."""

    name: str
    kind: Kind
    text: str
    values: Sequence[tuple[Labels, float]] = ()
    spreads: Sequence[tuple[Labels, Spread]] = field(default=())


def exposition(measures: Sequence[Measure], accept: str) -> tuple[bytes, str]:
    """The measures as a scrape gets them, and the media type; `accept` is the header of the request."""
    from prometheus_client import CollectorRegistry  # at the first scrape: a start must not wait for it
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector

    class Once(Collector):
        """Gives the measures of one scrape."""

        def collect(self) -> Iterator["Metric"]:
            yield from map(_family, measures)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


def _family(measure: Measure) -> "Metric":
    from prometheus_client.metrics_core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    name = f"ontherun_{measure.name}"
    if measure.kind == "histogram":
        histogram = HistogramMetricFamily(name, measure.text, labels=_names(measure.spreads))
        for labels, spread in measure.spreads:
            histogram.add_metric(list(labels.values()), _buckets(spread), spread.total)
        return histogram
    family = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
    made = family(name, measure.text, labels=_names(measure.values))
    for labels, value in measure.values:
        made.add_metric(list(labels.values()), value)
    return made


def _names(values: Sequence[tuple[Labels, object]]) -> list[str]:
    return list(values[0][0]) if values else []


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus wants them."""
    ends = [*(f"{bound:g}" for bound in spread.bounds), "+Inf"]
    so_far, found = 0, []
    for end, count in zip(ends, spread.counts, strict=True):
        so_far += count
        found.append((end, float(so_far)))
    return found
