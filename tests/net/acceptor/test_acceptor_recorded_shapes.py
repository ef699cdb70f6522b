"""Our answers have the fields of the recorded ones, but for changes with a date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from asker import Asker

pytestmark = pytest.mark.recorded

Record = dict[str, object]

# What the exchange has added (+) and dropped (-) between June and October 2026.
SINCE = {
    "fills": {"+exchange_index"},
    "orders": {"+exchange_index"},
    "market_positions": {"+exchange_index", "-resting_orders_count"},
    "event_positions": set[str](),
    "balance": set[str](),
    "account_limits": set[str](),
    "exchange_status": {
        "+exchange_index_statuses",
        "+intra_exchange_transfers_active",
        "+exchange_estimated_resume_time",
    },
}


@pytest.fixture
def demo(recorded_data: Path) -> Path:
    return recorded_data / "rest" / "fortuna_demo_2026-06"


def read(folder: Path, name: str) -> Record:
    return cast("Record", json.loads((folder / f"{name}.json").read_bytes()))


def first(tree: Record, key: str) -> Record:
    return cast("list[Record]", tree[key])[0]


def changes(recorded: Record, ours: Record) -> set[str]:
    added = {f"+{name}" for name in ours.keys() - recorded.keys()}
    return added | {f"-{name}" for name in recorded.keys() - ours.keys()}


@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("fills__after_taker", "/portfolio/fills?limit=1", "fills"),
        ("portfolio__orders_list", "/portfolio/orders?limit=1", "orders"),
        ("portfolio__positions", "/portfolio/positions?limit=1", "market_positions"),
        ("portfolio__positions", "/portfolio/positions?limit=1", "event_positions"),
    ],
)
def test_rows_have_the_recorded_fields(
    demo: Path, sandbox: Asker, name: str, path: str, key: str
) -> None:
    recorded, ours = read(demo, name), sandbox.get(path).tree

    assert changes(first(recorded, key), first(ours, key)) == SINCE[key]
    assert changes(recorded, ours) == set()


@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("auth__balance_ok", "/portfolio/balance", "balance"),
        ("account__limits", "/account/limits", "account_limits"),
        ("exchange__status", "/exchange/status", "exchange_status"),
    ],
)
def test_single_answers_have_the_recorded_fields(
    demo: Path, sandbox: Asker, name: str, path: str, key: str
) -> None:
    assert changes(read(demo, name), sandbox.get(path).tree) == SINCE[key]


def test_settlement_listing_has_the_recorded_frame(demo: Path, sandbox: Asker) -> None:
    """No row was recorded there; the fields of a row are those of the exchange's description."""
    ours = sandbox.get("/portfolio/settlements?limit=1").tree

    assert changes(read(demo, "settlements__page"), ours) == set()
    assert set(first(ours, "settlements")) == {
        "ticker",
        "exchange_index",
        "event_ticker",
        "market_result",
        "yes_count_fp",
        "yes_total_cost_dollars",
        "no_count_fp",
        "no_total_cost_dollars",
        "revenue",
        "settled_time",
        "fee_cost",
        "value",
    }


def kinds(record: Record) -> dict[str, type]:
    return {name: type(value) for name, value in record.items() if value is not None}


@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("fills__after_taker", "/portfolio/fills?limit=1", "fills"),
        ("portfolio__orders_list", "/portfolio/orders?limit=1", "orders"),
        ("portfolio__positions", "/portfolio/positions?limit=1", "market_positions"),
    ],
)
def test_fields_have_the_recorded_types_and_places(
    demo: Path, sandbox: Asker, name: str, path: str, key: str
) -> None:
    recorded, ours = first(read(demo, name), key), first(sandbox.get(path).tree, key)
    common = recorded.keys() & ours.keys()

    assert {n: k for n, k in kinds(recorded).items() if n in common} == {
        n: k for n, k in kinds(ours).items() if n in common
    }
    for field in common:
        if field.endswith(("_dollars", "_fp", "_cost")):
            places = [len(str(one[field]).partition(".")[2]) for one in (recorded, ours)]
            assert places[0] == places[1], field


@pytest.mark.parametrize(
    ("name", "path", "off"),
    [
        ("auth__skew_minus30s", "/portfolio/balance", -30),
        ("auth__skew_plus5min", "/portfolio/balance", 300),
        ("markets__limit_over_max", "/markets?limit=1001", 0),
        ("orders__cancel_unknown_id", "/portfolio/orders/unknown", 0),
    ],
)
def test_refusals_read_as_recorded(
    demo: Path, sandbox: Asker, name: str, path: str, off: int
) -> None:
    meta = read(demo, f"{name}.meta")
    recorded = read(demo, name)
    answer = sandbox.raw(path, sandbox.signed_headers(path, off=off * 1_000_000))

    inner = recorded.get("error")
    if isinstance(inner, dict):
        cast("Record", inner).pop("service", None)  # dropped by the exchange in August 2026
    assert answer.status == meta["status"]
    assert answer.tree == recorded
