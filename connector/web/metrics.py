"""The numbers as Prometheus reads them. Knows what they are called there, and counts nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.inbox.box import Inbox
from connector.inbox.errors import InboxError
from connector.ledger.errors import LedgerError
from connector.web.numbers import Numbers, Spread, StoreNumbers
from connector.web.tally import Tally

_BY_STORE: Final = ("store",)


def page(inbox: Inbox, tally: Tally, numbers: Numbers | None, now: datetime) -> bytes:
    """Everything, in Prometheus' text format. now  aware. Of a ledger or an inbox that can't be read it says
    so; raises what else `numbers` raises."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(lambda: (*_of_stores(numbers), *_of_inbox(inbox, now), *_of_receiver(tally))))
    return generate_latest(registry)


class _Page(Collector):
    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._families()


def _of_stores(numbers: Numbers | None) -> Iterator[Metric]:
    try:
        found = list(numbers.numbers()) if numbers else []
    except LedgerError:  # the receiver's own numbers are wanted most when something is wrong
        yield GaugeMetricFamily("connector_ledger_readable", "1 where the ledger can be read.", value=0)
        return
    yield GaugeMetricFamily("connector_ledger_readable", "1 where the ledger can be read.", value=1)
    slips = GaugeMetricFamily("connector_slips", "Packing slips by state.", labels=("store", "state"))
    owed = GaugeMetricFamily("connector_oldest_owed_seconds", "How long the oldest owed slip waits.", labels=_BY_STORE)
    left = GaugeMetricFamily("connector_calls_left", "Calls the key has left.", labels=("store", "window"))
    failed = CounterMetricFamily("connector_failures", "Calls and readings that failed.", labels=("store", "kind"))
    took = HistogramMetricFamily(
        "connector_shop_to_gosweetspot_seconds", "From the shop's change to GoSweetSpot's answer.", labels=_BY_STORE
    )
    for each in found:
        _add_all(slips, each.store, each.slips)
        _add_all(left, each.store, each.calls_left)
        _add_all(failed, each.store, each.failures)
        _add_times(owed, took, each)
    yield from (slips, owed, left, failed, took)


def _add_all(family: GaugeMetricFamily | CounterMetricFamily, store: str, values: object) -> None:
    assert hasattr(values, "items")
    for label, value in values.items():
        family.add_metric((store, str(label)), value)


def _add_times(owed: GaugeMetricFamily, took: HistogramMetricFamily, each: StoreNumbers) -> None:
    if each.oldest_owed_s is not None:
        owed.add_metric((each.store,), each.oldest_owed_s)
    if each.shop_to_gss is not None:
        took.add_metric((each.store,), _buckets(each.shop_to_gss), each.shop_to_gss.sum_s)


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    return [*((str(bound), float(count)) for bound, count in spread.up_to.items()), ("+Inf", float(spread.total))]


def _of_inbox(inbox: Inbox, now: datetime) -> Iterator[Metric]:
    try:
        found = list(_of_readable_inbox(inbox, now))
    except InboxError:
        yield GaugeMetricFamily("connector_inbox_readable", "1 where the inbox can be read.", value=0)
        return
    yield GaugeMetricFamily("connector_inbox_readable", "1 where the inbox can be read.", value=1)
    yield from found


def _of_readable_inbox(inbox: Inbox, now: datetime) -> Iterator[Metric]:
    held = GaugeMetricFamily("connector_inbox_deliveries", "Deliveries by state.", labels=("store", "state"))
    for store, states in inbox.counts().items():
        _add_all(held, store, {state.value: count for state, count in states.items()})
    yield held
    yield GaugeMetricFamily("connector_inbox_bytes", "Bytes the inbox has in use.", value=inbox.size)
    yield GaugeMetricFamily("connector_inbox_quota_bytes", "Bytes it may use.", value=inbox.quota)
    oldest = inbox.oldest_waiting()
    waits = (now - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("connector_inbox_oldest_waiting_seconds", "Age of the oldest one waiting.", value=waits)
    yield GaugeMetricFamily("connector_inbox_alerts", "Alerts nobody has taken on.", value=len(inbox.alerts()))


def _of_receiver(tally: Tally) -> Iterator[Metric]:
    for name, text, label, values in (
        ("deliveries", "Deliveries answered 200, repeats too.", "store", tally.stored),
        ("deliveries_quarantined", "Signed deliveries nothing can be made of.", "store", tally.quarantined),
        ("deliveries_refused", "Deliveries not believed, answered 401.", "why", tally.refused),
        ("deliveries_not_stored", "Believed deliveries answered 503.", "why", tally.not_stored),
        ("gosweetspot_hints", "GoSweetSpot's own webhooks.", "store", tally.hints),
        ("http_answers", "Answers by status.", "status", tally.answers),
    ):
        family = CounterMetricFamily(f"connector_{name}", text, labels=(label,))
        for key, count in list(values.items()):
            family.add_metric((str(key),), count)
        yield family
    for name, text, count in (
        ("pings", "WooCommerce's pings.", tally.pings),
        ("requests_cut", "Requests whose caller left, or was too slow.", tally.cut),
        ("faults", "Faults of the connector itself.", tally.faults),
    ):
        yield CounterMetricFamily(f"connector_{name}", text, value=count)
