"""The account over real HTTP: what the client decodes is the machine's truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from asker import Asker, OpenSandbox

from trueup.core.catalog import Catalog
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import OrderStatus
from trueup.core.units import Money
from trueup.net.acceptor.house import BASIC, UNLIMITED
from trueup.net.acceptor.server import Settings
from trueup.sim.paging import Query
from trueup.sim.scenario import World
from trueup.sim.surface import AccountSurface
from trueup.sim.tiers import EVERYTHING_LIVE, Tiers
from trueup.wire.rest import (
    account,
    api_keys,
    cash,
    events,
    exchange,
    historical,
    markets,
    portfolio,
    series,
)
from trueup.wire.rest.account import AccountLimits, BucketSize
from trueup.wire.rest.table import OPERATIONS

SUBACCOUNTS = (Subaccount(0), Subaccount(1))


# -- what is read is what is true --------------------------------------------------------------

SERVED = [
    "GetAccountApiLimits",
    "GetAccountEndpointCosts",
    "GetApiKeys",
    "GetBalance",
    "GetDeposits",
    "GetEvent",
    "GetEventFeeChanges",
    "GetEvents",
    "GetExchangeStatus",
    "GetFills",
    "GetFillsHistorical",
    "GetHistoricalCutoff",
    "GetHistoricalMarket",
    "GetHistoricalMarkets",
    "GetHistoricalOrders",
    "GetHistoricalPositions",
    "GetIntraExchangeInstanceTransfer",
    "GetIntraExchangeInstanceTransfers",
    "GetMarket",
    "GetMarkets",
    "GetMultivariateEvents",
    "GetOrder",
    "GetOrders",
    "GetPositions",
    "GetSeries",
    "GetSeriesFeeChanges",
    "GetSeriesList",
    "GetSettlements",
    "GetSubaccountBalances",
    "GetSubaccountTransfers",
    "GetUserDataTimestamp",
    "GetWithdrawals",
]
"""The readings of the account and of the catalog; order entry has tests of its own."""


def test_both_tiers_of_fills_give_every_fill_exactly(sandbox: Asker, world: World) -> None:
    live = set(sandbox.pages(portfolio.fills(limit=100)))
    old = set(sandbox.pages(historical.fills(limit=100)))

    assert live | old == set(world.exchange.account(world.member).fills)


def test_both_tiers_of_orders_give_every_order_exactly(sandbox: Asker, world: World) -> None:
    live = set(sandbox.pages(portfolio.orders(limit=70)))
    old = set(sandbox.pages(historical.orders(limit=70)))

    ledger = world.exchange.account(world.member)
    assert live | old == {ledger.order(order_id) for order_id in ledger.orders}


@pytest.mark.parametrize("subaccount", SUBACCOUNTS)
def test_settlement_rows_are_the_live_settlements(
    sandbox: Asker, world: World, subaccount: Subaccount
) -> None:
    since = Tiers().settlements_since(world.end)

    found = list(sandbox.pages(portfolio.settlements(limit=9, subaccount=subaccount)))

    truth = [row.settled for row in world.exchange.account(world.member).settlements]
    assert found == [
        row for row in reversed(truth) if row.subaccount == subaccount and row.at >= since
    ]


@pytest.mark.parametrize("subaccount", SUBACCOUNTS)
def test_positions_of_both_tiers_are_the_holdings(
    sandbox: Asker, world: World, subaccount: Subaccount
) -> None:
    live = sandbox.pages(
        portfolio.positions(settlement_status="all", limit=25, subaccount=subaccount)
    )
    old = sandbox.pages(historical.positions(limit=25, subaccount=subaccount))

    truth = AccountSurface(world.exchange, world.member, EVERYTHING_LIVE).positions(
        world.end, Query(limit=1000, choice="all", subaccount=subaccount)
    )
    assert {*live, *old} == set(truth.markets.items)


def test_balances_add_up_over_subaccounts_and_shards(sandbox: Asker, world: World) -> None:
    ledger = world.exchange.account(world.member)
    per_subaccount = [sandbox.send(portfolio.balance(subaccount=one)) for one in SUBACCOUNTS]
    rows = sandbox.send(cash.subaccount_balances())

    total = ledger.available_at(world.end)
    assert per_subaccount[0].low + per_subaccount[1].low == total
    assert sum((row.amount for row in rows), Money(0)) == total
    for one, balance in zip(SUBACCOUNTS, per_subaccount, strict=True):
        for part in balance.breakdown:
            expected = ledger.available_at(world.end, subaccount=one, shard=part.shard)
            assert part.amount == expected
    only = sandbox.send(portfolio.balance(shard=Shard(2)))
    assert only.low == ledger.available_at(world.end, subaccount=Subaccount(0), shard=Shard(2))


def test_integer_balance_is_cut_to_cents(sandbox: Asker) -> None:
    tree = sandbox.get("/portfolio/balance").tree

    exact = Money.parse(str(tree["balance_dollars"]))
    assert tree["balance"] == exact.units // 10_000
    assert exact.units % 10_000, "an example that needs cutting"


def test_money_movements_are_listed(sandbox: Asker, world: World) -> None:
    ledger = world.exchange.account(world.member)
    deposits = list(sandbox.pages(cash.deposits(limit=2)))
    withdrawals = list(sandbox.pages(cash.withdrawals()))
    between = list(sandbox.pages(cash.subaccount_transfers(limit=1)))
    shards = list(sandbox.pages(cash.shard_transfers()))

    assert {one.banking_id for one in (*deposits, *withdrawals)} == set(ledger.bankings)
    assert all(one.amount < Money(0) for one in withdrawals)
    assert {one.transfer_id for one in (*between, *shards)} == set(ledger.transfers)
    (shard,) = shards
    assert sandbox.send(cash.shard_transfer(shard.transfer_id)) == shard


def test_markets_of_both_tiers_tell_result_and_value(sandbox: Asker, world: World) -> None:
    live = {one.ticker: one for one in sandbox.pages(markets.markets(limit=60))}
    old = {one.ticker: one for one in sandbox.pages(historical.markets(limit=60))}

    states = world.exchange.books.listings.markets
    assert live.keys() | old.keys() == states.keys()
    for ticker, detail in (live | old).items():
        assert detail.stated == states[ticker].stated(world.end)
        assert detail.market == states[ticker].market


def test_single_market_is_found_in_its_tier(sandbox: Asker, world: World) -> None:
    (first, *_, last) = world.exchange.account(world.member).settlements

    old = sandbox.send(historical.market(first.settled.ticker))
    new = sandbox.send(markets.market(last.settled.ticker))

    assert old.status is new.status is MarketStatus.FINALIZED
    assert sandbox.get(f"/markets/{first.settled.ticker}").status == 404
    assert sandbox.get(f"/historical/markets/{last.settled.ticker}").status == 404


def test_markets_name_their_price_grid(sandbox: Asker) -> None:
    rows = sandbox.get("/markets?limit=1000&series_ticker=KXBTC15M").rows("markets")

    assert {row["price_level_structure"] for row in rows} == {"deci_cent"}
    assert rows[0]["price_ranges"] == [{"start": "0.0000", "end": "1.0000", "step": "0.0010"}]


def test_catalog_read_over_http_predicts_the_same_fee_terms(sandbox: Asker, world: World) -> None:
    """Series, events, markets and the change history are enough to know every fill's terms."""
    details = [
        *sandbox.pages(markets.markets(limit=1000)),
        *sandbox.pages(historical.markets(limit=1000)),
    ]
    catalog = Catalog(
        series=sandbox.pages(series.series_list()),
        events=sandbox.pages(events.events()),
        markets=[one.market for one in details],
        fee_changes=[
            *sandbox.pages(series.fee_changes(show_historical=True)),
            *sandbox.pages(events.fee_changes()),
        ],
        observed_at=world.end,
    )

    for fill in world.exchange.account(world.member).fills:
        truth = world.exchange.books.listings.fee_terms(fill.ticker)(fill.at)
        assert catalog.fee_terms(fill.ticker, fill.at) == truth


def test_single_records_are_what_the_listings_say(sandbox: Asker, world: World) -> None:
    (order, *_) = sandbox.send(portfolio.orders(limit=1)).items
    (event, *_) = sandbox.send(events.events(limit=1)).items
    (one, *_) = sandbox.pages(series.series_list())

    assert sandbox.send(portfolio.order(order.order_id)) == order
    assert sandbox.send(events.event(event.ticker)) == event
    assert sandbox.send(series.series(one.ticker)) == one
    assert order.ticker in world.exchange.books.listings.markets


def test_cutoffs_are_those_of_the_tiers(sandbox: Asker, world: World) -> None:
    found, tiers = sandbox.send(historical.cutoff()), Tiers().cutoffs(world.end)

    assert found.trades_created_at == tiers.trades_created
    assert found.orders_updated_at == tiers.orders_updated
    assert found.market_settled_at == tiers.market_settled
    assert found.positions_updated_at == tiers.positions_updated


def test_house_says_what_the_client_needs_to_behave(sandbox: Asker) -> None:
    assert sandbox.send(exchange.status()).trading_active
    assert sandbox.send(account.limits()) == UNLIMITED
    costs = sandbox.send(account.endpoint_costs())
    assert costs.default == 10
    for operation in OPERATIONS.values():
        assert costs.cost_of(operation.method, operation.template) == operation.cost
    (key,) = sandbox.send(api_keys.list_keys())
    assert (key.key_id, key.scopes) == (sandbox.server.key_id, ("read", "write"))


def test_reads_may_lag_behind(open_sandbox: OpenSandbox, clock: Callable[[], Instant]) -> None:
    asker = open_sandbox(Settings(lag=2_000_000))

    before = clock()
    told = asker.send(exchange.user_data_timestamp())

    assert before <= told + 2_000_000 <= clock()


def test_reads_of_the_account_show_it_as_it_was(
    open_sandbox: OpenSandbox, world: World, sandbox: Asker
) -> None:
    """A balance that lags a week behind is the balance of a week ago; markets do not lag."""
    week = 7 * 24 * 3600 * SECOND
    late = open_sandbox(Settings(limits=UNLIMITED, lag=week))

    shown, now = late.send(portfolio.balance()), sandbox.send(portfolio.balance())

    then = AccountSurface(world.exchange, world.member, EVERYTHING_LIVE).balance(
        Instant(now.at - week), Query()
    )
    assert shown.low == then.dollars != now.low
    assert late.raw("/markets?limit=5").body == sandbox.raw("/markets?limit=5").body


@pytest.mark.parametrize("name", SERVED)
def test_operation_is_served(sandbox: Asker, name: str) -> None:
    path = OPERATIONS[name].template
    for placeholder in ("order_id", "ticker", "transfer_id", "event_ticker", "series_ticker"):
        path = path.replace(f"{{{placeholder}}}", "nothing-of-this-name")

    answer = sandbox.get(path)

    assert answer.status == (404 if "nothing" in path else 200)
    if answer.status == 404:
        assert answer.tree == {"error": {"code": "not_found", "message": "not found"}}


# -- filters -----------------------------------------------------------------------------------


def test_filters_reach_the_surface(sandbox: Asker, world: World) -> None:
    fills = world.exchange.account(world.member).fills
    last = fills[-1]
    seconds = last.at // 1_000_000

    by_market = list(sandbox.pages(portfolio.fills(ticker=last.ticker)))
    by_order = list(sandbox.pages(portfolio.fills(order_id=last.order_id)))
    late = list(sandbox.pages(portfolio.fills(min_at=last.at)))
    early = sandbox.get(f"/portfolio/fills?max_ts={seconds - 1}&limit=1000").rows("fills")

    assert {one.ticker for one in by_market} == {last.ticker}
    assert {one.order_id for one in by_order} == {last.order_id}
    assert last in late
    assert all(one.at >= seconds * 1_000_000 for one in late)
    assert last.trade_id not in {row["trade_id"] for row in early}
    resting = list(sandbox.pages(portfolio.orders(status=OrderStatus.RESTING)))
    assert len(resting) == 4


def test_two_tickers_may_be_asked_at_once(sandbox: Asker, world: World) -> None:
    tickers = sorted({one.ticker for one in world.exchange.account(world.member).fills[-9:]})[:2]

    rows = sandbox.get(f"/portfolio/fills?limit=1000&ticker={','.join(tickers)}").rows("fills")

    assert {row["ticker"] for row in rows} == set(tickers)


def test_garbage_cursor_gives_the_first_page(sandbox: Asker) -> None:
    first = sandbox.get("/portfolio/fills?limit=3")
    garbage = sandbox.get("/portfolio/fills?limit=3&cursor=garbage-cursor-fixture")

    assert garbage.status == 200
    assert garbage.rows("fills") == first.rows("fills")
    assert first.tree["cursor"]


def test_last_page_has_an_empty_cursor(sandbox: Asker) -> None:
    assert sandbox.get("/portfolio/withdrawals").tree["cursor"] == ""


# -- refusals ----------------------------------------------------------------------------------


def bounds(operation: str, field: str, rule: str) -> dict[str, object]:
    return {
        "msg": f"Parameter validation failed for {operation}: Key: '{operation}Params.{field}' "
        f"Error:Field validation for '{field}' failed on the '{rule}' tag"
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/markets?limit=1001", bounds("GetMarkets", "Limit", "lte")),
        ("/markets?status=active", bounds("GetMarkets", "Status", "oneof")),
        ("/portfolio/fills?limit=0", bounds("GetFills", "Limit", "gte")),
        ("/portfolio/deposits?limit=501", bounds("GetDeposits", "Limit", "lte")),
        ("/portfolio/balance?subaccount=64", bounds("GetBalance", "Subaccount", "lte")),
        (
            "/portfolio/positions?settlement_status=void",
            bounds("GetPositions", "SettlementStatus", "oneof"),
        ),
        (
            "/markets?limit=abc",
            {"msg": "Invalid format for parameter limit: error binding string parameter"},
        ),
        (
            "/portfolio/fills?min_ts=yesterday",
            {"msg": "Invalid format for parameter min_ts: error binding string parameter"},
        ),
    ],
)
def test_bad_parameter_gets_the_exchanges_own_words(
    sandbox: Asker, path: str, expected: dict[str, object]
) -> None:
    answer = sandbox.get(path)

    assert (answer.status, answer.tree) == (400, expected)


def test_limit_of_zero_means_the_default_where_it_is_allowed(sandbox: Asker) -> None:
    few = sandbox.get("/historical/markets?limit=0").rows("markets")

    assert len(few) == len(sandbox.get("/historical/markets").rows("markets")) > 0


def test_unknown_parameter_is_ignored(sandbox: Asker) -> None:
    assert sandbox.get("/portfolio/fills?limit=1&flavour=lemon").status == 200


@pytest.mark.parametrize("path", ["/portfolio", "/orders", "/portfolio/pnl", "/"])
def test_unknown_path_is_not_found(sandbox: Asker, path: str) -> None:
    assert sandbox.get(path).tree == {"error": {"code": "not_found", "message": "not found"}}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_orders_of_the_first_version_are_gone(sandbox: Asker, method: str) -> None:
    headers = sandbox.signed_headers("/portfolio/orders", method=method)
    headers["Content-Type"] = "application/json"

    answer = sandbox.raw("/portfolio/orders", headers, method=method, body=b"{}")

    assert answer.status == 410
    assert "deprecated_v1_order_endpoint" in str(answer.tree)


def test_empty_bucket_gets_the_bare_429(open_sandbox: OpenSandbox) -> None:
    small = BucketSize(capacity=50, refill_per_second=1)
    asker = open_sandbox(Settings(limits=replace(BASIC, read=small)))

    statuses = [asker.get("/portfolio/balance").status for _ in range(6)]
    refused = asker.get("/portfolio/balance")

    assert statuses == [200] * 5 + [429]
    assert refused.body == b'{"error":"too many requests"}'
    assert not {"Retry-After", "X-RateLimit-Limit"} & refused.headers.keys()
    assert asker.raw("/exchange/status").status == 200


def test_limits_served_are_the_limits_kept(open_sandbox: OpenSandbox) -> None:
    limits: AccountLimits = replace(BASIC, tier="expert")
    asker = open_sandbox(Settings(limits=limits))

    assert asker.send(account.limits()) == limits


def test_date_header_shows_the_exchanges_time(sandbox: Asker, clock: Callable[[], Instant]) -> None:
    shown = parsedate_to_datetime(sandbox.raw("/exchange/status").headers["Date"])

    assert abs(shown.timestamp() - clock() / 1_000_000) < 5
