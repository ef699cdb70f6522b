"""The weekly report on a real account of the sandbox, and what the decision log adds to it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Ticker, TradeId
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, format_instant, parse_instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio
from trueup.ledger.performance import Point
from trueup.run.books.account import open_account
from trueup.run.reports.pictures import braille, page, svg
from trueup.run.reports.weekly import (
    document,
    read_decided,
    report_of,
    seconds_per_decision,
    slippage,
)

NOON = parse_instant("2026-10-06T16:00:00Z")
NAMES = {OrderId("o1"): ClientOrderId("bot-1"), OrderId("o2"): ClientOrderId("bot-2")}


def write_log(path: Path) -> Path:
    lines = [
        decision(NOON, "bot-1", "0.3200", "KXA-1"),
        decision(NOON, "bot-2", None, "KXA-2"),
        decision(Instant(NOON - DAY), "bot-0", "0.5000", "KXA-0"),
        {
            "at": format_instant(NOON),
            "strategy": "s",
            "verdict": "refused",
            "ticker": "KXA-3",
            "client_order_id": None,
        },
        {
            "at": format_instant(NOON),
            "alert": "operator",
            "strategy": "",
            "words": "x",
            "by": "ada",
            "command": "pause",
        },
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in lines) + '{"torn": ')
    return path


def decision(at: Instant, name: str, reference: str | None, ticker: str) -> dict[str, object]:
    return {
        "at": format_instant(at),
        "strategy": "s",
        "verdict": "sent",
        "ticker": ticker,
        "client_order_id": name,
        "reference": reference,
    }


def fill(order: str, side: Side, cents: int, count: int) -> Filled:
    return Filled(
        trade_id=TradeId(f"{order}{cents}"),
        order_id=OrderId(order),
        ticker=Ticker("KXA-1"),
        side=side,
        count=Count.of_contracts(count),
        price=Price.of_cents(cents),
        fee=ZERO_MONEY,
        is_taker=True,
        at=NOON,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def test_slippage_is_measured_from_the_price_of_the_decision(tmp_path: Path) -> None:
    """YES decided at 32 cents: 10 at 33 and 20 at 31 are 10 cents less 20; NO counts the other way."""
    decided = read_decided(write_log(tmp_path / "log"), NOON, Instant(NOON + DAY))

    bought = [fill("o1", Side.YES, 33, 10), fill("o1", Side.YES, 31, 20)]
    sold = [fill("o1", Side.NO, 30, 10)]
    unknown = [fill("o2", Side.YES, 50, 5), fill("o9", Side.YES, 50, 5)]

    assert slippage(bought, NAMES, decided) == Ratio("-0.10")
    assert slippage(sold, NAMES, decided) == Ratio("0.20")
    assert slippage([*sold, *unknown], NAMES, decided) == Ratio("0.20")
    assert slippage(unknown, NAMES, decided) is None


def test_what_people_did_and_what_was_looked_at_come_from_the_log(tmp_path: Path) -> None:
    decided = read_decided(write_log(tmp_path / "log"), NOON, Instant(NOON + DAY))
    nothing = read_decided(tmp_path / "none", NOON, Instant(NOON + DAY))

    assert decided.markets == {"KXA-1", "KXA-2", "KXA-3"}
    assert decided.overrides == 1
    assert set(decided.references) == {"bot-1", "bot-2"}
    assert (nothing.markets, nothing.overrides) == (frozenset(), 0)


def test_seconds_go_from_the_decision_to_the_exchange_s_order(tmp_path: Path) -> None:
    decided = read_decided(write_log(tmp_path / "log"), NOON, Instant(NOON + DAY))

    def order(name: str, later: int) -> OrderReported:
        return OrderReported(
            order_id=OrderId(name),
            client_order_id=ClientOrderId(name),
            ticker=Ticker("KXA-1"),
            side=Side.YES,
            status=OrderStatus.EXECUTED,
            price=Price.of_cents(32),
            initial_count=Count.of_contracts(1),
            fill_count=Count.of_contracts(1),
            remaining_count=ZERO_COUNT,
            taker_fees=ZERO_MONEY,
            maker_fees=ZERO_MONEY,
            taker_fill_cost=ZERO_MONEY,
            maker_fill_cost=ZERO_MONEY,
            created_at=Instant(NOON + later),
            updated_at=Instant(NOON + later),
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )

    orders = [order("bot-1", SECOND // 4), order("bot-2", SECOND // 2), order("by-hand", MINUTE)]

    assert seconds_per_decision(orders, decided) == Ratio(3, 8)
    assert seconds_per_decision(orders[2:], decided) is None


def test_the_report_s_profit_is_the_ledger_s(tmp_path: Path) -> None:
    """Over all time the report and the ledger are two ways to the same figure."""
    with open_account(environment={"TRUEUP_HOME": str(tmp_path)}) as account:
        account.backfill()
        end = Instant(account.now() // HOUR * HOUR + HOUR)
        found = report_of(account, tmp_path / "no-log", since=Instant(end - 400 * DAY), until=end)
        totals = account.books.totals()
        _, line = account.pnl()

    now = found.now
    assert now.gain == line.net
    assert now.trades.number > 50
    assert sum((each.profit for each in now.by_strategy.values()), ZERO_MONEY) == now.trades.profit
    assert sum((each.profit for each in now.by_category.values()), ZERO_MONEY) == now.trades.profit
    assert now.points[-1].equity == Money(
        sum(each.amount.units for each in now.flows) + line.net.units
    )
    assert (found.open_positions, now.manual_orders) == (totals.open_positions, None)
    assert document(found)["period"]["trades"] == now.trades.number


# -- pictures ----------------------------------------------------------------------------------


def points(*dollars: int) -> list[Point]:
    return [Point(Instant(n * HOUR), Money.of_cents(each * 100)) for n, each in enumerate(dollars)]


def test_a_rising_curve_rises_in_braille() -> None:
    lines = braille(points(100, 200, 300, 400), Instant(4 * HOUR), width=4, height=2)

    assert lines[0].startswith("400.00 ┤")
    assert lines[1].startswith("100.00 ┤")
    assert lines[0][8] == "\u2800"
    assert lines[1][8] != "\u2800"
    assert lines[0][-1] != "\u2800"
    assert lines[1][-1] == "\u2800"


def test_a_flat_curve_and_no_curve_have_pictures_too() -> None:
    assert len(braille(points(5, 5, 5), Instant(3 * HOUR))) == 8
    assert braille([], NOON) == []
    assert svg([], NOON, title="x") == ""
    assert "<path" in svg(points(5, 5), Instant(2 * HOUR), title="x")


def test_the_page_stands_alone_and_escapes_what_it_is_given() -> None:
    picture = svg(points(100, 90, 120), Instant(3 * HOUR), title="<Equity>")
    html = page("<b>", picture, [("<i>", ["a"], [["<script>alert(1)</script>"]])], ["<p>"])

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"""(src|href)=|https?://|@import|url\(""", html)
    balance = _Balance()
    balance.feed(html)
    assert balance.open == []
    assert "from 100.00 to 120.00 dollars, highest 120.00, lowest 90.00" in html


class _Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
