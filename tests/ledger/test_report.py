from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from trade_script import EVENT, NOON_READINGS, TICKER, at, book, facts, market, seen

from trueup.core.catalog import Catalog, Event, Market, Quote, Series
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Ticker,
)
from trueup.core.instant import DAY
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.ledger import tables
from trueup.ledger.adopt import adopt
from trueup.ledger.audit import AuditInputs, Payload, TableFile, TextFile, audit_files
from trueup.ledger.beancount import beancount_lines
from trueup.ledger.coverage import Coverage, Wanted, certify
from trueup.ledger.entries import MarketBook
from trueup.ledger.foreign import ForeignTrade
from trueup.ledger.gains import Disposal, Term, gains
from trueup.ledger.proof import prove
from trueup.ledger.reconcile import quarantine_breaks, verdict
from trueup.ledger.report import (
    BETWEEN_STRATEGIES,
    NO_MARKET,
    STILL_OPEN,
    By,
    CategoryRule,
    Naming,
    PnlLine,
    booked_rows,
    mark,
    open_position,
    open_positions_summary,
    pnl,
    strategy_rows,
    total_line,
)
from trueup.ledger.strategy import StrategyRule, StrategyRules

D = Money.parse
C = Count.parse
BITCOIN = Ticker("KXBTC-26JUN01-T100")


def series(ticker: str, category: str) -> Series:
    return Series(
        ticker=SeriesTicker(ticker),
        title="",
        category=category,
        tags=(),
        fee_type="quadratic",
        fee_multiplier=Ratio(1),
    )


def event(ticker: str, of: str) -> Event:
    return Event(
        ticker=EventTicker(ticker),
        series_ticker=SeriesTicker(of),
        title="",
        mutually_exclusive=True,
        fee_type_override=None,
        fee_multiplier_override=None,
    )


def listed(ticker: Ticker, of: str) -> Market:
    return Market(
        ticker=ticker,
        event_ticker=EventTicker(of),
        title="",
        open_at=None,
        close_at=None,
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )


CATALOG = Catalog(
    series=[series("KXHIGHNY", "Climate and Weather"), series("KXBTC", "Crypto")],
    events=[event(EVENT, "KXHIGHNY"), event("KXBTC-26JUN01", "KXBTC")],
    markets=[listed(TICKER, EVENT), listed(BITCOIN, "KXBTC-26JUN01")],
)
RULES = StrategyRules(rules=(StrategyRule(strategy="mm", client_prefix="mm-"),))
BY_ORDER = RULES.for_orders({OrderId("q"): ClientOrderId("mm-77")})

BOOKS = [
    book(
        """
        02:00 buy yes 10 @ .60 fee .17
        02:10 sell yes 4 @ .80 fee .05
        13:00 row yes revenue 6 yes 10 no 4
        """,
        strategy_of=BY_ORDER,
    ),
    book(
        "12:00 buy yes 3 @ .50 fee .06\n12:05 sell yes 3 @ .52 fee .06 order q",
        ticker=BITCOIN,
        strategy_of=BY_ORDER,
    ),
    book("12:00 buy no 2 @ .30 fee .03", ticker=Ticker("UNHEARD-OF")),
]


def lines(by: By, *, naming: Naming | None = None) -> dict[str, PnlLine]:
    rows = [
        row
        for each in BOOKS
        for row in (strategy_rows(each) if by is By.STRATEGY else booked_rows(each))
    ]
    positions = [open_position(each, None) for each in BOOKS]
    found = pnl(
        rows,
        by,
        naming=naming or Naming(catalog=CATALOG),
        open_positions=[each for each in positions if each],
    )
    return {line.name: line for line in found}


@pytest.mark.parametrize("by", list(By))
def test_lines_add_up_to_the_ledger(by: By) -> None:
    total = total_line(lines(by).values())

    assert total.realized == sum((each.realized for each in BOOKS), D("0"))
    assert total.fees == sum((each.fees for each in BOOKS), D("0"))
    assert (total.open, total.unmarked) == (1, 1)


def test_profit_by_category_comes_from_the_series() -> None:
    found = lines(By.CATEGORY)

    assert sorted(found) == ["crypto", "unknown", "weather"]
    assert (found["weather"].net, found["crypto"].net) == (D("2.98"), D("-0.06"))


def test_category_rule_by_strategy_goes_before_the_series() -> None:
    rules = (CategoryRule(category="market making", strategy="mm"),)

    found = lines(By.CATEGORY, naming=Naming(catalog=CATALOG, rules=rules))

    assert found["market making"].net == D("0")
    assert found["crypto"].fees == D(".06")


def test_category_rule_by_series_goes_before_the_catalog() -> None:
    rules = (CategoryRule(category="coins", series="KXBTC"),)

    assert "coins" in lines(By.CATEGORY, naming=Naming(catalog=CATALOG, rules=rules))


def test_profit_by_series_event_and_ticker() -> None:
    assert sorted(lines(By.SERIES)) == ["KXBTC", "KXHIGHNY", "unknown"]
    assert sorted(lines(By.EVENT)) == ["KXBTC-26JUN01", EVENT, "unknown"]
    assert sorted(lines(By.TICKER)) == [BITCOIN, TICKER, "UNHEARD-OF"]


def test_days_are_eastern_or_utc() -> None:
    """02:10 UTC is the evening before in New York."""
    eastern, utc = lines(By.DAY), lines(By.UTC_DAY)

    assert sorted(eastern) == ["2026-05-31", "2026-06-01", STILL_OPEN]
    assert sorted(utc) == ["2026-06-01", STILL_OPEN]
    assert eastern["2026-05-31"].realized == D(".80")


def test_profit_by_strategy_stands_alone_and_still_adds_up() -> None:
    """The market maker sold what the other strategy holds: neither has closed anything."""
    found = lines(By.STRATEGY)

    assert found["mm"].realized == D("0")
    assert found[BETWEEN_STRATEGIES].realized == D(".06")


def test_settlement_cut_is_out_of_the_realised_profit() -> None:
    cut = book(
        "12:00 buy yes .01 @ .50\n13:00 row scalar revenue 0 yes .01",
        market=market("scalar", value=".5933"),
    )

    (row,) = booked_rows(cut)

    assert row.realized == cut.realized == D(".0009")
    assert cut.settlement_fees == D(".000033")


def quote(**prices: str) -> Quote:
    def price(name: str) -> Price | None:
        return Price.parse(prices[name]) if name in prices else None

    return Quote(
        ticker=TICKER,
        yes_bid=price("bid"),
        yes_ask=price("ask"),
        last=price("last"),
        volume=C("0"),
        volume_24h=C("0"),
        open_interest=C("0"),
    )


def test_position_is_marked_where_it_could_be_sold() -> None:
    whole = quote(bid=".40", ask=".44", last=".42")

    assert mark(whole, C("3")) == Price.parse(".40")
    assert mark(whole, C("-3")) == Price.parse(".44")
    assert mark(quote(last=".42"), C("3")) == Price.parse(".42")
    assert mark(quote(), C("3")) is None
    assert mark(None, C("3")) is None


def test_open_positions_are_summed_up_in_exact_dollars() -> None:
    held = book("12:00 buy no 3 @ .40 fee .06\n12:05 sell no 1 @ .50 fee .02")
    position = open_position(held, quote(ask=".44"))
    assert position is not None

    (summary,) = open_positions_summary([position])

    assert (summary.ticker, summary.side, summary.quantity) == (TICKER, Side.NO, C("2"))
    assert summary.avg_price == Ratio(4, 10)
    assert summary.unrealized_pnl == D(".32")
    assert (summary.realized_pnl, summary.fees) == (D(".10"), D(".08"))


def test_flat_book_has_no_open_position_and_a_missing_mark_is_not_zero() -> None:
    flat = book("12:00 buy yes 1 @ .5\n12:05 sell yes 1 @ .5")
    held = open_position(book("12:00 buy yes 1 @ .5"), None)

    assert open_position(flat, quote(bid=".40")) is None
    assert held is not None
    assert held.unrealized is None


# -- strategies ------------------------------------------------------------------------------------


def test_strategy_comes_from_tag_then_client_prefix_then_series() -> None:
    rules = StrategyRules(
        rules=(
            StrategyRule(strategy="maker", client_prefix="mm-"),
            StrategyRule(strategy="weather", series="KXHIGHNY"),
        ),
        tags={OrderId("x"): "by hand"},
        series_of=lambda ticker: SeriesTicker("KXHIGHNY") if ticker == TICKER else None,
    )

    assert rules.strategy_of(OrderId("x"), ClientOrderId("mm-1"), TICKER) == "by hand"
    assert rules.strategy_of(OrderId("y"), ClientOrderId("mm-1"), TICKER) == "maker"
    assert rules.strategy_of(OrderId("y"), None, TICKER) == "weather"
    assert rules.strategy_of(OrderId("y"), None, BITCOIN) == ""


# -- gains -----------------------------------------------------------------------------------------


def told(script: str) -> list[tuple[str, str, str, str, str]]:
    return [
        (str(each.quantity), str(each.cost), str(each.proceeds), str(each.gain), each.disposal)
        for each in gains(book(script).entries)
    ]


def test_oldest_lot_goes_first_and_fees_belong_to_it() -> None:
    assert told(
        """
        12:00 buy yes 10 @ .40 fee .10
        12:05 buy yes 10 @ .60 fee .10
        12:10 sell yes 15 @ .70 fee .15
        """
    ) == [
        ("10.00", "4.10", "6.90", "2.80", Disposal.SALE),
        ("5.00", "3.05", "3.45", "0.40", Disposal.SALE),
    ]


def test_settlement_disposes_of_what_is_left_also_for_nothing() -> None:
    assert told("12:00 buy yes 10 @ .40 fee .10\n13:00 row no revenue 0 yes 10") == [
        ("10.00", "4.10", "0.00", "-4.10", Disposal.SETTLEMENT)
    ]


def test_trade_through_zero_disposes_and_acquires() -> None:
    assert told(
        """
        12:00 buy yes 4 @ .50
        12:05 buy no 10 @ .30 fee .10
        13:00 row no revenue 6 yes 4 no 10
        """
    ) == [
        ("4.00", "2.00", "2.76", "0.76", Disposal.SALE),
        ("6.00", "1.86", "6.00", "4.14", Disposal.SETTLEMENT),
    ]


@pytest.mark.parametrize(
    "script",
    [
        """
        12:00 buy yes .07 @ .333 fee .0101
        12:01 buy no .03 @ .411 fee .0033
        12:02 sell yes .02 @ .2 fee .0001
        13:00 row yes revenue .02 yes .07 no .05
        """,
        "13:00 row yes revenue 5 yes 5",
    ],
)
def test_gains_add_up_to_the_books(script: str) -> None:
    whole = book(script)

    assert sum((each.gain for each in gains(whole.entries)), D("0")) == whole.realized - whole.fees


def test_revised_fill_counts_as_it_stands_now_at_its_own_time() -> None:
    buy, sell = facts("12:00 buy yes 4 @ .40\n12:10 sell yes 4 @ .50")
    revised = seen(buy, "15:00", price=Price.parse(".45"))

    (found,) = gains(book([buy, sell, revised]).entries)

    assert (found.cost, found.proceeds) == (D("1.80"), D("2"))


def test_lot_of_more_than_a_year_is_long_term() -> None:
    (buy,) = facts("12:00 buy yes 1 @ .40")
    old = seen(buy, "12:00", version=1, at=at("12:00") - 366 * DAY)
    year = seen(buy, "12:00", version=1, at=at("12:00") - 365 * DAY)
    (row,) = facts("13:00 row yes revenue 1 yes 1")

    assert [each.term for each in gains(book([old, row]).entries)] == [Term.LONG]
    assert [each.term for each in gains(book([year, row]).entries)] == [Term.SHORT]


# -- exports ---------------------------------------------------------------------------------------

WHOLE = book(
    "12:00 buy yes 10 @ .60 fee .17 order q\n13:00 row scalar revenue 4.50 yes 10 value .45",
    strategy_of=BY_ORDER,
)
TRANSACTION = re.compile(r'\d{4}-\d\d-\d\d \* "[^"]*" "[^"]*"\Z')
POSTING = re.compile(
    r"  ((?:Assets|Liabilities|Equity|Income|Expenses)(?::[A-Z0-9][A-Za-z0-9-]*)+)  (-?\d+\.\d+) USD\Z"
)


def test_beancount_file_is_balanced_and_opens_every_account_once() -> None:
    text = list(beancount_lines(WHOLE.entries, title='sandbox "demo"'))

    assert text[0] == 'option "title" "sandbox \\"demo\\""'
    opened = [line.split()[2] for line in text if " open " in line]
    used: set[str] = set()
    sums = [Money(0)]
    for line in text:
        found = POSTING.match(line)
        if TRANSACTION.match(line):
            sums.append(Money(0))
        elif found:
            used.add(found[1])
            sums[-1] += D(found[2])
        else:
            assert not line or line.startswith(("option", "1970-01-01 open", "  ", "    "))
    assert (len(sums), set(sums)) == (3, {Money(0)})
    assert sorted(opened) == sorted(used)
    assert '    contracts: "10.00"' in text
    assert '  strategy: "mm"' in text


def test_ticker_with_a_point_is_an_account_that_beancount_allows() -> None:
    ticker = Ticker("KXHIGHNY-26JUN01-B78.5")

    text = list(beancount_lines(book("12:00 buy yes 1 @ .5", ticker=ticker).entries, title="t"))

    assert any("Assets:Positions:KXHIGHNY-26JUN01-B78-5" in line for line in text)
    assert any(ticker in line for line in text)


def test_flat_settlement_is_no_transaction() -> None:
    flat = book("12:00 buy yes 1 @ .5\n12:01 sell yes 1 @ .5\n13:00 row no revenue 0 yes 1 no 1")

    text = list(beancount_lines(flat.entries, title="t"))

    assert len([line for line in text if TRANSACTION.match(line)]) == 2


def all_tables() -> dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    intervals = list(prove(NOON_READINGS, []))
    breaks = list(quarantine_breaks([]))
    report = adopt([ForeignTrade(row_id="1", ticker=TICKER, status="open")], {})
    return {
        "entries": (tables.ENTRY_COLUMNS, list(tables.entry_rows(WHOLE.entries))),
        "trips": (tables.TRIP_COLUMNS, list(tables.trip_rows(WHOLE.round_trips))),
        "positions": (tables.POSITION_COLUMNS, list(tables.position_rows([WHOLE]))),
        "gains": (tables.GAIN_COLUMNS, list(tables.gain_rows(gains(WHOLE.entries)))),
        "pnl": (tables.PNL_COLUMNS, list(tables.pnl_rows(lines(By.DAY).values()))),
        "breaks": (tables.BREAK_COLUMNS, list(tables.break_rows([*breaks, *_odd().breaks]))),
        "intervals": (tables.INTERVAL_COLUMNS, list(tables.interval_rows(intervals))),
        "adoption": (tables.ADOPTION_COLUMNS, list(tables.adoption_rows(report))),
    }


def _odd() -> MarketBook:
    return book("12:00 buy yes 1 @ .5 fee unknown")


@pytest.mark.parametrize("name", sorted(all_tables()))
def test_every_row_has_a_cell_for_every_column(name: str) -> None:
    columns, rows = all_tables()[name]

    assert rows
    assert {len(row) for row in rows} == {len(columns)}


def test_posting_rows_add_up() -> None:
    columns, rows = all_tables()["entries"]

    money = columns.index("money")
    assert sum((D(row[money]) for row in rows), D("0")) == D("0")


def test_audit_bundle_holds_everything_and_reads_alone() -> None:
    inputs = AuditInputs(
        title="sandbox, account demo",
        at=at("14:00"),
        verdict=verdict(_odd().breaks, prove(NOON_READINGS, [])),
        breaks=_odd().breaks,
        intervals=prove(NOON_READINGS, []),
        entries=WHOLE.entries,
        books=lambda: [WHOLE],
        certificate=certify(
            Coverage(),
            now=at("14:00"),
            wanted=Wanted(since=at("13:00"), streams=(), subaccounts=()),
        ),
        payloads=[Payload("fill 1", at("12:00"), b'{"side":"yes"}')],
    )

    files = {file.name: file for file in audit_files(inputs)}

    read_me = files["README.txt"]
    assert isinstance(read_me, TextFile)
    words = "\n".join(read_me.lines)
    assert "sandbox, account demo" in words
    assert "fee_unknown: A fill came without a fee" in words
    for file in files.values():
        if isinstance(file, TableFile):
            text = io.StringIO()
            csv.writer(text).writerows([file.columns, *file.rows])
            assert text.getvalue().count("\n") >= 2
    payloads = files["payloads.jsonl"]
    assert isinstance(payloads, TextFile)
    assert '\\"side\\":\\"yes\\"' in next(iter(payloads.lines))


def test_rows_without_a_market_have_a_name() -> None:
    (row, *_) = booked_rows(WHOLE)

    found = pnl([replace(row, ticker=None)], By.CATEGORY, naming=Naming())

    assert [line.name for line in found] == [NO_MARKET]
    assert WHOLE.subaccount == PRIMARY
