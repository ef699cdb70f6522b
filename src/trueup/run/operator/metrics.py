"""Figures for Prometheus: what they are called, and how they are filled.

`METRICS` describes every figure once; the registry, the reference page and its test
come from it.  Gauges are filled from the bot's status document, counters and
histograms by what happens.  Figures are for charts and alarms: money is shown as the
nearest binary fraction of a dollar, and the books stay where it is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from trueup.core.alerts import Alert
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.net.session import Answered, Event, LimitsLearned, Retrying, Throttled, UnknownFields

PREFIX: Final = "trueup_"

_CALLS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STEPS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
_LAGS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
_IN_FLIGHT_MAX: Final = 10_000
_NO_ANSWER: Final = "none"


class Metric(NamedTuple):
    """One figure: its kind, its labels, what it says."""

    kind: str
    labels: tuple[str, ...]
    words: str
    buckets: tuple[float, ...] = ()


METRICS: Final[Mapping[str, Metric]] = {
    # What the bot is and how it stands.
    "bot": Metric("gauge", ("venue", "account", "mode", "version"), "1 while the program runs."),
    "started_seconds": Metric("gauge", (), "When the program started, in seconds since 1970."),
    "healthy": Metric("gauge", (), "1 while /health answers 200."),
    "halted": Metric(
        "gauge", ("code", "strategy"), "1 for each halt in force (strategy empty: all)."
    ),
    "strategy_trading": Metric(
        "gauge", ("strategy",), "1 while the strategy trades, 0 paused or halted."
    ),
    "sweep_pending": Metric("gauge", (), "1 while a cancel-all is not proven to be complete."),
    # Money and risk.
    "cash_dollars": Metric(
        "gauge", ("subaccount", "shard"), "Cash available, as last read, less fills since."
    ),
    "value_dollars": Metric("gauge", (), "Capital and profit of all strategies."),
    "profit_dollars": Metric(
        "gauge", ("strategy",), "Profit after fees, positions at their marks."
    ),
    "realized_dollars": Metric("gauge", ("strategy",), "Realized profit before fees."),
    "fees_dollars": Metric("gauge", ("strategy",), "Trading fees paid."),
    "capital_dollars": Metric("gauge", ("strategy",), "What the strategy may tie up."),
    "exposure_dollars": Metric("gauge", ("strategy",), "What positions and resting orders tie up."),
    "position_contracts": Metric("gauge", ("strategy", "ticker"), "Net position: + YES, − NO."),
    "open_orders": Metric("gauge", ("strategy",), "Living orders."),
    "limit_share": Metric("gauge", ("limit", "strategy"), "How full a limit is: 1 is full."),
    "markets_followed": Metric("gauge", (), "Markets whose prices are followed."),
    "markets_unreadable": Metric(
        "gauge", (), "Markets left alone, since an order there cannot be read."
    ),
    # The books.
    "books_close": Metric("gauge", (), "1 when the last proof of the books closed, 0 when not."),
    "proof_age_seconds": Metric("gauge", (), "Age of the last proof of the books."),
    "breaks_open": Metric("gauge", (), "Open breaks at the last proof."),
    # Decisions and orders.
    "wishes_total": Metric(
        "counter", ("verdict",), "Wishes of strategies, by what became of them."
    ),
    "refusals_total": Metric(
        "counter", ("code",), "Wishes refused, by the check that refused them."
    ),
    "orders_total": Metric(
        "counter",
        ("outcome",),
        "Steps of orders: sent, accepted, refused, unknown, canceled, amended.",
    ),
    "fills_total": Metric("counter", ("strategy",), "Fills of our orders."),
    "order_seconds": Metric("histogram", (), "From handing an order over to its answer.", _CALLS),
    "step_seconds": Metric(
        "histogram", ("input",), "The machine's time for one input: from news to decisions.", _STEPS
    ),
    # Talking to the exchange.
    "calls_total": Metric(
        "counter", ("operation", "status"), "Attempts of API calls (status none: no whole answer)."
    ),
    "call_seconds": Metric("histogram", ("operation",), "Duration of one attempt.", _CALLS),
    "call_retries_total": Metric("counter", ("operation",), "Attempts that were repeated."),
    "rate_limit_waits_total": Metric(
        "counter", ("budget",), "Requests that waited for their turn."
    ),
    "rate_limit_wait_seconds_total": Metric("counter", ("budget",), "How long they waited in all."),
    "unknown_fields_total": Metric(
        "counter", ("operation",), "Answers with fields unknown to this version."
    ),
    "feed_up": Metric("gauge", ("feed",), "1 while a feed is heard."),
    "feed_age_seconds": Metric("gauge", ("feed",), "Since a feed was last heard."),
    "stream_connections": Metric(
        "gauge", (), "Connections of the stream since the start: more than 1 are reconnects."
    ),
    "stream_failed_attempts": Metric("gauge", (), "Attempts to connect the stream that failed."),
    "stream_silences": Metric("gauge", (), "Times the stream was given up for its silence."),
    "stream_gaps": Metric("gauge", (), "Sequences of messages that had a gap and were begun anew."),
    # The operator's own machinery.
    "loop_lag_seconds": Metric("histogram", (), "How late the event loop woke up.", _LAGS),
    "alerts_total": Metric("counter", ("kind",), "Alerts told, before any was muted."),
    "alert_messages": Metric(
        "gauge", ("result",), "Messages to people: delivered, failed, retried, dropped."
    ),
    "pings": Metric("gauge", ("result",), "Dead-man's pings: sent, failed, withheld."),
    "diary_rows": Metric(
        "gauge", ("result",), "Rows of calls, orders and errors: written, dropped, pruned."
    ),
    "log_lines_dropped": Metric("gauge", (), "Log lines that nobody could write."),
}
"""Every figure, without the prefix."""

_ENDINGS: Final[Mapping[type[Any], str]] = {
    i.Accepted: "accepted",
    i.Refused: "refused",
    i.Unknown: "unknown",
    i.Canceled: "canceled",
    i.Amended: "amended",
}


class Metrics:
    """The figures of one program.  Fed on its loop, read by a server in another thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._figures: dict[str, Any] = {
            name: _figure(name, each) for name, each in METRICS.items()
        }
        self._shown: set[str] = set()
        self._labels: dict[str, frozenset[tuple[str, ...]]] = {}
        self._sent_at: dict[str, Instant] = {}
        ProcessCollector(registry=self._registry)

    def page(self) -> bytes:
        """All figures, in Prometheus' text format."""
        return generate_latest(self._registry)

    # -- what happens ----------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Something the client did."""
        match event:
            case Answered():
                status = str(event.status or _NO_ANSWER)
                self._count("calls_total", event.operation, status)
                self._observe("call_seconds", event.microseconds / SECOND, event.operation)
            case Retrying():
                self._count("call_retries_total", event.operation)
            case Throttled():
                waited = event.microseconds / SECOND
                self._count("rate_limit_waits_total", event.budget.value)
                self._count("rate_limit_wait_seconds_total", event.budget.value, by=waited)
            case UnknownFields():
                self._count("unknown_fields_total", event.operation)
            case LimitsLearned():
                pass

    def step(self, given: i.Input, effects: Sequence[f.Effect], microseconds: int) -> None:
        """One step of the machine."""
        self._observe("step_seconds", microseconds / SECOND, type(given).__name__)
        for effect in effects:
            if isinstance(effect, f.Place):
                self._count("orders_total", "sent")
                if len(self._sent_at) < _IN_FLIGHT_MAX:
                    self._sent_at[effect.intent.client_order_id] = given.at
        if isinstance(given, i.SendEnded | i.CancelEnded | i.AmendEnded):
            self._count("orders_total", _ENDINGS[type(given.outcome)])
        if isinstance(given, i.SendEnded):
            sent_at = self._sent_at.pop(given.client_order_id, None)
            if sent_at is not None:
                self._observe("order_seconds", max(0, given.at - sent_at) / SECOND)

    def told(self, told: f.Decision | Alert) -> None:
        """A decision or an alert."""
        if isinstance(told, Alert):
            self._count("alerts_total", told.kind.value)
            if told.kind is f.AlertKind.FILL:
                self._count("fills_total", told.strategy)
            return
        self._count("wishes_total", told.verdict.value)
        for refusal in told.refusals:
            self._count("refusals_total", refusal.code.value)

    def lag(self, microseconds: int) -> None:
        """How late the loop woke up."""
        self._observe("loop_lag_seconds", microseconds / SECOND)

    # -- how it stands ---------------------------------------------------------------------

    def status(self, shown: Mapping[str, Any]) -> None:
        """Take over a status document of the bot."""
        started = parse_instant(shown["started_at"])
        about = tuple(str(shown[name]) for name in ("venue", "account", "mode", "version"))
        self._set("bot", {about: 1})
        self._set("started_seconds", {(): started / SECOND})
        halts = [(each["code"], each["strategy"]) for each in shown["halts"]]
        self._set("halted", dict.fromkeys(halts, 1))
        self._set("sweep_pending", {(): int(shown["sweep"] is not None)})
        self._set("value_dollars", {(): float(shown["value"])})
        self._set("markets_followed", {(): shown["markets_followed"]})
        self._set("markets_unreadable", {(): len(shown["unreadable"])})
        cash = {(e["subaccount"], e["shard"]): float(e["available"]) for e in shown["cash"]}
        self._set("cash_dollars", cash)
        held = {(e["strategy"], e["ticker"]): float(e["net"]) for e in shown["positions"]}
        self._set("position_contracts", held)
        fullest: dict[tuple[str, ...], float] = {}
        for each in shown["limits"]:
            key, share = (each["limit"], each["strategy"]), float(each["share"])
            fullest[key] = max(share, fullest.get(key, share))
        self._set("limit_share", fullest)
        self._strategies(shown["strategies"])
        self._feeds(shown["connections"])

    def _strategies(self, shown: list[Mapping[str, Any]]) -> None:
        for name in ("profit", "realized", "fees", "capital", "exposure"):
            self._set(f"{name}_dollars", {(e["name"],): float(e[name]) for e in shown})
        self._set("open_orders", {(e["name"],): e["open_orders"] for e in shown})
        trading = {(e["name"],): int(e["state"] == "trading") for e in shown}
        self._set("strategy_trading", trading)

    def _feeds(self, shown: list[Mapping[str, Any]]) -> None:
        self._set("feed_up", {(e["name"],): int(e["up"]) for e in shown})
        ages = {(e["name"],): e["age_seconds"] for e in shown if e["age_seconds"] is not None}
        self._set("feed_age_seconds", ages)

    def books(self, *, closes: bool, breaks: int, age_seconds: int) -> None:
        """What the last proof of the books said."""
        self._set("books_close", {(): int(closes)})
        self._set("breaks_open", {(): breaks})
        self._set("proof_age_seconds", {(): age_seconds})

    def stream(self, counts: Mapping[str, int]) -> None:
        """The counts of the stream's line."""
        for name, word in (
            ("stream_connections", "connections"),
            ("stream_failed_attempts", "failed attempts"),
            ("stream_silences", "silences"),
            ("stream_gaps", "gaps"),
        ):
            self._set(name, {(): counts.get(word, 0)})

    def machinery(self, name: str, counts: Mapping[str, int]) -> None:
        """The counts of a part of the operator's own machinery, by result."""
        self._set(name, {(word,): number for word, number in counts.items()})

    def healthy(self, *, is_healthy: bool) -> None:
        """Whether /health answers 200."""
        self._set("healthy", {(): int(is_healthy)})

    def lines_dropped(self, number: int) -> None:
        """Log lines that were lost."""
        self._set("log_lines_dropped", {(): number})

    # -- filling ---------------------------------------------------------------------------

    def _set(self, name: str, figures: Mapping[tuple[Any, ...], float]) -> None:
        """Set a gauge; what is not named any more is gone."""
        gauge: Gauge = self._figure(name)
        if not METRICS[name].labels:
            gauge.set(next(iter(figures.values())))
            return
        named = {tuple(map(str, labels)): figure for labels, figure in figures.items()}
        for labels in self._labels.get(name, frozenset()) - named.keys():
            gauge.remove(*labels)
        for labels, figure in named.items():
            gauge.labels(*labels).set(figure)
        self._labels[name] = frozenset(named)

    def _figure(self, name: str) -> Any:  # noqa: ANN401  # one of three kinds
        """The figure; it is shown from now on, since 0 would be a lie about what nobody knows."""
        if name not in self._shown:
            self._shown.add(name)
            self._registry.register(self._figures[name])
        return self._figures[name]

    def _count(self, name: str, *labels: str, by: float = 1) -> None:
        cast("Counter", self._figure(name)).labels(*labels).inc(by)

    def _observe(self, name: str, seconds: float, *labels: str) -> None:
        histogram: Histogram = self._figure(name)
        (histogram.labels(*labels) if labels else histogram).observe(seconds)


def _figure(name: str, metric: Metric) -> Gauge | Counter | Histogram:
    full = PREFIX + name
    if metric.kind == "gauge":
        return Gauge(full, metric.words, metric.labels, registry=None)
    if metric.kind == "counter":
        return Counter(full, metric.words, metric.labels, registry=None)
    return Histogram(full, metric.words, metric.labels, registry=None, buckets=metric.buckets)
