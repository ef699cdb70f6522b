"""Figures and health: every figure is documented, and nothing unknown is shown as zero."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from trueup.core.alerting import AlertPolicy, AlertRules
from trueup.core.alerts import Alert, AlertKind
from trueup.core.errors import ConfigError, Unreachable
from trueup.core.ids import ClientOrderId, OrderId
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, format_instant
from trueup.core.limits import Budget
from trueup.core.units import Count
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.refusals import Code, Refusal
from trueup.net.health_server import Answers, HealthServer, ask_health
from trueup.net.session import Answered, Retrying, Throttled
from trueup.run.bot.feed_watch import FeedWatch
from trueup.run.operator.condition import STALE, Looked, condition_of
from trueup.run.operator.metrics import METRICS, PREFIX, Metrics

NOON = Instant(1_780_000_000 * SECOND)
ROOT = Path(__file__).parents[2]


def document(**changes: Any) -> dict[str, Any]:
    """A status document of a bot that is well, with changes."""
    return {
        "venue": "sandbox",
        "account": "main",
        "mode": "live",
        "version": "1",
        "started_at": format_instant(Instant(NOON - HOUR)),
        "state": "trading",
        "value": "251.5",
        "halts": [],
        "sweep": None,
        "markets_followed": 3,
        "unreadable": {},
        "cash": [{"subaccount": 0, "shard": 0, "available": "100.25"}],
        "positions": [{"strategy": "threshold", "ticker": "RAIN", "net": "-5"}],
        "limits": [
            {"limit": "position_max", "strategy": "", "share": "0.2"},
            {"limit": "position_max", "strategy": "", "share": "0.5"},
        ],
        "strategies": [
            {
                "name": "threshold",
                "state": "trading",
                "capital": "250",
                "profit": "1.5",
                "realized": "2",
                "fees": "0.5",
                "exposure": "3.25",
                "open_orders": 1,
            }
        ],
        "connections": [
            {
                "name": "prices",
                "up": True,
                "heard_at": format_instant(NOON),
                "age_seconds": 0,
                "words": "",
            }
        ],
        "books": None,
        **changes,
    }


def figures(metrics: Metrics) -> dict[str, float]:
    lines = metrics.page().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs if name.startswith(PREFIX)}


def test_reference_names_every_figure_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(f"| `{PREFIX}")]

    expected = [
        f"| `{PREFIX}{name}` | {each.kind} | {', '.join(each.labels) or '–'} | {each.words} |"
        for name, each in METRICS.items()
    ]

    assert rows == expected


def test_nothing_is_shown_before_it_is_known() -> None:
    assert figures(Metrics()) == {}


def test_status_becomes_gauges_and_what_is_gone_disappears() -> None:
    metrics = Metrics()
    metrics.status(document(halts=[{"code": "kill", "strategy": ""}]))
    first = figures(metrics)
    metrics.status(document(positions=[], strategies=[]))
    second = figures(metrics)

    position = 'trueup_position_contracts{strategy="threshold",ticker="RAIN"}'
    assert first[position] == -5
    assert first['trueup_cash_dollars{shard="0",subaccount="0"}'] == 100.25
    assert first['trueup_halted{code="kill",strategy=""}'] == 1
    assert first['trueup_limit_share{limit="position_max",strategy=""}'] == 0.5, "the fullest"
    assert first['trueup_exposure_dollars{strategy="threshold"}'] == 3.25
    assert position not in second
    assert 'trueup_halted{code="kill",strategy=""}' not in second
    assert "trueup_books_close" not in second, "nobody proved them"


def test_what_happens_is_counted() -> None:
    metrics = Metrics()
    name = ClientOrderId("a-1")
    metrics.event(
        Answered(
            operation="GetFills", path="/", attempt=1, status=0, body_bytes=0, microseconds=30_000
        )
    )
    metrics.event(Retrying(operation="GetFills", attempt=1, reason="silent", microseconds=5))
    metrics.event(Throttled(operation="GetFills", budget=Budget.READ, microseconds=500_000))
    accepted = i.Accepted(order_id=OrderId("x"), fill_count=Count(0), remaining_count=Count(100))
    metrics.step(i.SendEnded(at=NOON, client_order_id=name, outcome=accepted), [], 250)
    metrics.told(Alert(at=NOON, kind=AlertKind.FILL, words="bid 5", strategy="threshold"))
    metrics.told(
        f.Decision(
            at=NOON,
            strategy="threshold",
            wish="x",
            verdict=f.Verdict.REFUSED,
            refusals=(Refusal(Code.CASH_FLOOR), Refusal(Code.HOURS)),
        )
    )
    metrics.lag(2_000)

    told = figures(metrics)
    assert told['trueup_calls_total{operation="GetFills",status="none"}'] == 1
    assert told['trueup_call_seconds_bucket{le="0.05",operation="GetFills"}'] == 1
    assert told['trueup_call_retries_total{operation="GetFills"}'] == 1
    assert told['trueup_rate_limit_wait_seconds_total{budget="read"}'] == 0.5
    assert told['trueup_orders_total{outcome="accepted"}'] == 1
    assert told['trueup_step_seconds_bucket{input="SendEnded",le="0.00025"}'] == 1
    assert told['trueup_fills_total{strategy="threshold"}'] == 1
    assert told['trueup_refusals_total{code="cash_floor"}'] == 1
    assert told['trueup_refusals_total{code="trading_hours"}'] == 1
    assert told['trueup_wishes_total{verdict="refused"}'] == 1
    assert told['trueup_loop_lag_seconds_bucket{le="0.005"}'] == 1


# -- health ------------------------------------------------------------------------------------


def reasons(now: int = 0, **changes: Any) -> list[str]:
    looked = Looked(at=NOON, shown=document(**changes))
    condition = condition_of(looked, Instant(NOON + now), proof_age_max=HOUR)
    return [each.partition(":")[0] for each in condition.reasons]


def down(heard_before: int | None) -> list[dict[str, Any]]:
    heard = None if heard_before is None else format_instant(Instant(NOON - heard_before))
    fills = {"name": "fills", "up": True, "heard_at": format_instant(NOON), "words": ""}
    return [{"name": "prices", "up": False, "heard_at": heard, "words": "cut"}, fills]


def proof(before: int, **fields: Any) -> dict[str, Any]:
    return {"at": format_instant(Instant(NOON - before)), "closes": True, **fields}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"halts": [{"code": "kill", "strategy": "", "words": "by ada"}]}, ["halted"]),
        ({"sweep": {"tries": 1}}, ["sweeping"]),
        ({"connections": []}, ["starting"]),
        ({"connections": down(None)[:1]}, ["starting"]),
        ({"connections": down(30 * SECOND)}, []),
        ({"connections": down(2 * MINUTE)}, ["feed down"]),
        ({"connections": down(None)}, ["feed down"]),
        ({"connections": down(None), "started_at": format_instant(NOON)}, []),
        ({"books": proof(MINUTE)}, []),
        ({"books": proof(2 * HOUR)}, ["proof stale"]),
        ({"books": proof(0, closes=False)}, ["books"]),
        ({"books": proof(0, closes=False, trouble="no answer")}, ["proof failed"]),
    ],
)
def test_reasons_why_not_all_is_well(changes: dict[str, Any], expected: list[str]) -> None:
    assert reasons(**changes) == expected


def test_bot_that_was_not_seen_is_not_well() -> None:
    assert not condition_of(None, NOON, proof_age_max=HOUR).is_healthy
    assert reasons(now=STALE) == []
    assert reasons(now=STALE + SECOND) == ["hanging"]


def get(address: str) -> tuple[int, str]:
    answer = urllib3.request("GET", address, timeout=90, retries=False)
    return answer.status, answer.data.decode()


def test_server_says_200_or_503() -> None:
    shown: dict[str, Any] = {"healthy": True, "reasons": []}
    metrics = Metrics()
    metrics.status(document())
    answers = Answers(health=lambda: shown, metrics=metrics.page)

    with HealthServer(answers, host="127.0.0.1", port=0) as server:
        well = get(f"{server.address}/health")
        shown.update(healthy=False, reasons=["halted: kill"])
        unwell = get(f"{server.address}/health")
        page = get(f"{server.address}/metrics")

        assert (well[0], json.loads(well[1])["healthy"]) == (200, True)
        assert (unwell[0], json.loads(unwell[1])["reasons"]) == (503, ["halted: kill"])
        assert page[0] == 200
        assert "trueup_value_dollars 251.5" in page[1]
        assert ask_health("127.0.0.1", server.port)["reasons"] == ["halted: kill"]
        with pytest.raises(ConfigError, match="cannot be served"):
            HealthServer(answers, host="127.0.0.1", port=server.port)
    with pytest.raises(Unreachable, match="no program serves its health"):
        ask_health("127.0.0.1", server.port)


# -- feeds -------------------------------------------------------------------------------------


def test_feed_is_told_lost_when_it_lasts_and_again_when_it_is_back() -> None:
    watch = FeedWatch()

    def look(minutes: int, *, up: bool) -> list[str]:
        shown = {"connections": [{"name": "prices", "up": up, "words": "" if up else "cut"}]}
        return [each.words for each in watch.look(shown, Instant(NOON + minutes * MINUTE))]

    assert look(0, up=True) == []
    assert look(1, up=False) == [], "it may come back by itself"
    assert look(2, up=False) == ["prices is lost: cut"]
    assert look(60, up=False) == [], "said"
    assert look(61, up=True) == ["prices is heard again"]
    assert look(62, up=False) == []
    assert look(63, up=True) == [], "a hiccup that nobody heard of needs no end"


def test_loss_after_its_end_passes_the_policy_again() -> None:
    policy = AlertPolicy(AlertRules(), NOON)
    watch = FeedWatch()
    sent: list[str] = []
    for minutes, up in ((0, False), (1, False), (2, True), (3, False), (4, False)):
        now = Instant(NOON + minutes * MINUTE)
        shown = {"connections": [{"name": "prices", "up": up, "words": "cut"}]}
        for alert in watch.look(shown, now):
            sent += [each.words for each in policy.hear(alert)]

    assert sent == ["prices is lost: cut", "prices is heard again", "prices is lost: cut"]
