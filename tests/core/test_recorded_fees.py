"""The fee engine against what the exchange really charged and published."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trueup.core.catalog import FeeTerms
from trueup.core.fee_schedule import INDEX_HALF_RATE_SINCE, published_multiplier, rates_at
from trueup.core.fees import (
    FeeLine,
    FillForFee,
    OrderFees,
    Precision,
    match_order_fees,
    model_fee,
    predict_order_fees,
    regime_at,
)
from trueup.core.ids import SeriesTicker
from trueup.core.instant import Instant, parse_instant
from trueup.core.orders import Side
from trueup.core.position import FLAT, Position, trade
from trueup.core.units import Count, Money, Price, Ratio

pytestmark = pytest.mark.recorded

QUADRATIC = FeeTerms("quadratic", Ratio(1), waived=False)
CENT = Money.of_cents(1)


def quadratic(_: Instant) -> FeeTerms:
    return QUADRATIC


@dataclass(frozen=True)
class RecordedFill:
    order_id: str
    fill: FillForFee
    fee: Money


def read_account(folder: Path) -> list[RecordedFill]:
    """The fills of May 2026: `side` alone gives the direction, also for sells."""
    lines = (folder / "ledger/kxbtc15m_account/fills_rest_2026-05.jsonl").read_text().splitlines()
    positions: dict[str, Position] = defaultdict(lambda: FLAT)
    recorded: list[RecordedFill] = []
    for row in sorted((json.loads(line) for line in lines), key=_created):
        side, count = Side(row["side"]), Count.parse(row["count_fp"])
        price = Price.parse(row["yes_price_dollars"])
        change = trade(positions[row["ticker"]], side, count, price)
        positions[row["ticker"]] = change.after
        fill = FillForFee(
            side=side,
            count=count,
            price=price,
            is_taker=row["is_taker"],
            at=parse_instant(row["created_time"]),
            cash=change.cash,
        )
        recorded.append(RecordedFill(row["order_id"], fill, Money.parse(row["fee_cost"])))
    return recorded


def _created(row: dict[str, Any]) -> str:
    return row["created_time"]


def by_order(recorded: list[RecordedFill]) -> dict[str, list[RecordedFill]]:
    orders: dict[str, list[RecordedFill]] = {}
    for one in recorded:
        orders.setdefault(one.order_id, []).append(one)
    return orders


def total(lines: tuple[FeeLine, ...] | None) -> Money:
    assert lines is not None
    return sum((line.net_fee for line in lines), Money(0))


def test_predicted_order_fees_of_the_account_are_exact_for_303_of_305_orders(
    recorded_data: Path,
) -> None:
    orders = by_order(read_account(recorded_data))
    assert len(orders) == 305

    exact = 0
    for fills in orders.values():
        lines = predict_order_fees([one.fill for one in fills], quadratic, Precision.DIRECT)
        exact += total(lines) == sum((one.fee for one in fills), Money(0))

    assert exact >= 303


def test_fills_of_one_instant_in_any_sequence_make_every_order_exact(recorded_data: Path) -> None:
    orders = by_order(read_account(recorded_data))

    for order_id, fills in orders.items():
        reported = [one.fee for one in fills]
        lines = match_order_fees(
            [one.fill for one in fills], reported, quadratic, Precision.NON_DIRECT
        )
        assert lines is not None, order_id
        assert [line.net_fee for line in lines] == reported


def test_no_other_rate_explains_the_account(recorded_data: Path) -> None:
    orders = by_order(read_account(recorded_data))
    half = FeeTerms("quadratic", Ratio(1, 2), waived=False)

    exact = 0
    for fills in orders.values():
        lines = predict_order_fees([one.fill for one in fills], lambda _: half, Precision.DIRECT)
        exact += total(lines) == sum((one.fee for one in fills), Money(0))

    assert exact < 100


def test_cash_effect_less_fee_is_a_whole_cent_on_every_recorded_fill(recorded_data: Path) -> None:
    recorded = read_account(recorded_data)
    assert len(recorded) == 316

    for one in recorded:
        assert (one.fill.revenue - one.fee).is_multiple_of(CENT)


def test_the_fee_does_not_depend_on_whether_a_recorded_fill_closes(recorded_data: Path) -> None:
    recorded = read_account(recorded_data)
    reread = [
        FillForFee(
            side=one.fill.side,
            count=one.fill.count,
            price=one.fill.price,
            is_taker=one.fill.is_taker,
            at=one.fill.at,
        )
        for one in recorded
    ]
    assert any(
        one.fill.revenue != again.revenue for one, again in zip(recorded, reread, strict=True)
    )

    for one, again in zip(recorded, reread, strict=True):
        with_cash = OrderFees(Precision.DIRECT).charge_fill(one.fill, QUADRATIC)
        without = OrderFees(Precision.DIRECT).charge_fill(again, QUADRATIC)
        assert with_cash is not None
        assert without is not None
        assert with_cash[1].net_fee == without[1].net_fee


def test_demo_fills_of_direct_members_are_exact(recorded_data: Path) -> None:
    """June and July 2026: balances in steps of $0.0001, the maker of a block trade pays nothing."""
    fortuna = json.loads(
        (recorded_data / "rest/fortuna_demo_2026-06/fills__after_taker.json").read_text()
    )
    rows: list[dict[str, Any]] = list(fortuna["fills"])
    for name in ("scenario_accept_yes.jsonl", "scenario_accept_no.jsonl"):
        for line in (recorded_data / "rest/combos_demo_2026-07" / name).read_text().splitlines():
            step = json.loads(line)
            if step["step"].startswith("after_"):
                rows.extend(step["data"]["fills"]["fills"])
    assert len(rows) >= 4

    for row in rows:
        fill = FillForFee(
            side=Side(row["outcome_side"]),
            count=Count.parse(row["count_fp"]),
            price=Price.parse(row["yes_price_dollars"]),
            is_taker=row["is_taker"],
            at=parse_instant(row["created_time"]),
        )
        lines = predict_order_fees([fill], quadratic, Precision.DIRECT)
        assert total(lines) == Money.parse(row["fee_cost"])


_TABLE_ROW = re.compile(r"\$(0\.\d\d) \$(0\.\d\d) \$(\d+\.\d\d) \$(\d+\.\d\d)")


def test_published_fee_tables_match(recorded_data: Path) -> None:
    """Each schedule prints the fees of 1 and of 100 contracts: first the general, then the index table."""
    rows_checked = 0
    for path in sorted((recorded_data / "fees").glob("kalshi-fee-schedule-*.txt")):
        stamp = path.stem.rsplit("-", 1)[1]
        at = parse_instant(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T12:00:00Z")
        seen: set[str] = set()
        for price, one, _, hundred in _TABLE_ROW.findall(" ".join(path.read_text().split())):
            series = SeriesTicker("INXD" if price in seen else "HIGHNY")
            seen.add(price)
            terms = FeeTerms("quadratic", published_multiplier(series, at), waived=False)
            assert printed_fee(terms, 1, Price.parse(price), at) == Money.parse(one), path.name
            assert printed_fee(terms, 100, Price.parse(price), at) == Money.parse(hundred), (
                path.name
            )
            rows_checked += 1
    assert rows_checked > 400


def printed_fee(terms: FeeTerms, contracts: int, price: Price, at: Instant) -> Money:
    model = model_fee(terms, Count.of_contracts(contracts), price, is_taker=True, at=at)
    assert model is not None
    revenue = -(price * Count.of_contracts(contracts))
    return OrderFees(Precision.DIRECT).charge(model, revenue, regime_at(at))[1].net_fee


def test_rates_agree_with_the_dated_fee_history(recorded_data: Path) -> None:
    history = json.loads((recorded_data / "fees/version_history.json").read_text())
    assert len(history) >= 16

    for version in history:
        stamp = version["capture"]
        at = parse_instant(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T12:00:00Z")
        rates = rates_at(at)
        for rate in version["taker_rates_quadratic"]:
            index_rate = at >= INDEX_HALF_RATE_SINCE and Ratio(rate) == rates.taker / 2
            assert Ratio(rate) == rates.taker or index_rate, stamp
        assert [Ratio(rate) for rate in version["maker_rates_flat"]] == [
            rate for rate in (rates.maker_per_contract,) if rate
        ], stamp
        assert [Ratio(rate) for rate in version["maker_rates_quadratic"]] == [
            rate for rate in (rates.maker,) if rate
        ], stamp
