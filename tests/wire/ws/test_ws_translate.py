"""What the server writes is what the client reads, for every kind of announcement."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import pytest
from exchange_floor import NOW, Floor
from hypothesis import given
from hypothesis import strategies as st

from trueup.core import announcements as a
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import (
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.orderbook import BookDelta, BookSnapshot, Level
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire.ws import bodies, from_wire, to_wire
from trueup.wire.ws import messages as m
from trueup.wire.ws.drift import unknown_fields
from trueup.wire.ws.from_wire_private import announcement
from trueup.wire.ws.server_session import ServerSession

T = TypeVar("T")
FLOOR = Floor("KX-A", "KX-B")

tickers = st.sampled_from([Ticker("KX-A"), Ticker("KX-B")])
words = st.text("abcdef0123456789-", min_size=1, max_size=12)
prices = st.integers(0, 10_000).map(Price)
counts = st.integers(1, 10**9).map(Count)
signed_counts = st.integers(-(10**9), 10**9).map(Count)
amounts = st.integers(-(10**12), 10**12).map(Money)
sides = st.sampled_from(Side)
instants = st.integers(10**9, 4 * 10**9).map(lambda seconds: Instant(seconds * 1_000_000))
to_milliseconds = st.integers(10**12, 4 * 10**12).map(lambda one: Instant(one * 1000))
figures = st.integers(0, 10**14).map(lambda one: Ratio(one, 10**8))


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


fills = st.builds(
    a.FillAnnounced,
    filled=st.builds(
        Filled,
        trade_id=words.map(TradeId),
        order_id=words.map(OrderId),
        ticker=tickers,
        side=sides,
        count=counts,
        price=prices,
        fee=maybe(amounts),
        is_taker=st.booleans(),
        at=to_milliseconds,
        subaccount=st.integers(0, 63).map(Subaccount),
        shard=st.integers(0, 3).map(Shard),
    ),
    position=maybe(signed_counts),
    client_order_id=maybe(words.map(ClientOrderId)),
)
orders = st.builds(
    a.OrderAnnounced,
    order=st.builds(
        OrderReported,
        order_id=words.map(OrderId),
        client_order_id=words.map(ClientOrderId),
        ticker=tickers,
        side=sides,
        status=st.sampled_from(OrderStatus),
        price=prices,
        initial_count=counts,
        fill_count=counts,
        remaining_count=counts,
        taker_fees=amounts,
        maker_fees=amounts,
        taker_fill_cost=amounts,
        maker_fill_cost=amounts,
        created_at=to_milliseconds,
        updated_at=to_milliseconds,
        subaccount=st.integers(0, 63).map(Subaccount),
        shard=st.integers(0, 3).map(Shard),
    ),
    reason=maybe(st.sampled_from(a.OrderUpdateReason) | st.just("SolarFlareCancel")),
    order_group_id=maybe(words),
    self_trade_prevention=maybe(st.sampled_from(["taker_at_cross", "maker"])),
    expires_at=maybe(to_milliseconds),
)
markets = st.builds(
    a.MarketAnnounced,
    ticker=tickers,
    change=st.sampled_from(a.MarketChange),
    open_at=maybe(instants),
    close_at=maybe(instants),
    determined_at=maybe(instants),
    settled_at=maybe(instants),
    result=maybe(st.sampled_from(["yes", "no", "scalar"])),
    settlement_value=maybe(prices),
    is_deactivated=maybe(st.booleans()),
    price_level_structure=maybe(st.just("deci_cent")),
    price_ranges=st.lists(
        st.builds(a.PriceBand, start=prices, end=prices, step=prices), max_size=2
    ).map(tuple),
    shard=maybe(st.integers(0, 3).map(Shard)),
    is_combo=st.booleans(),
    details=st.just(dict[str, object]())
    | st.just({"strike_type": "between", "custom_strike": {"round": "2"}}),
)
others: list[st.SearchStrategy[a.Announcement]] = [
    st.builds(
        a.TradeAnnounced,
        trade_id=words.map(TradeId),
        ticker=tickers,
        price=prices,
        count=counts,
        taker_side=sides,
        is_block=st.booleans(),
        at=to_milliseconds,
    ),
    st.builds(
        a.TickerAnnounced,
        ticker=tickers,
        last=prices,
        yes_bid=prices,
        yes_ask=prices,
        bid_count=counts,
        ask_count=counts,
        last_count=counts,
        volume=counts,
        open_interest=counts,
        dollar_volume=st.integers(-(10**6), 10**6),
        dollar_open_interest=st.integers(-(10**6), 10**6),
        at=to_milliseconds,
    ),
    st.builds(
        a.PositionAnnounced,
        ticker=tickers,
        net=signed_counts,
        cost=amounts,
        realized=amounts,
        fees_paid=amounts,
        position_fees=amounts,
        volume=counts,
        subaccount=st.integers(0, 63).map(Subaccount),
    ),
    st.builds(
        a.EventAnnounced,
        event_ticker=words.map(EventTicker),
        series_ticker=words.map(SeriesTicker),
        title=words,
        subtitle=words,
        collateral_return=st.sampled_from(["MECNET", "DIRECNET", ""]),
        strike_at=maybe(instants),
        strike_period=maybe(words),
        shard=st.integers(0, 3).map(Shard),
    ),
    st.sampled_from(
        [
            a.EventFeesAnnounced(event_ticker=EventTicker("E"), fee_type=kind, fee_multiplier=much)
            for kind, much in (("flat", Ratio(1, 2)), (None, None), ("quadratic", Ratio(7, 1)))
        ]
    ),
    st.builds(
        a.OrderGroupAnnounced,
        order_group_id=words,
        change=st.sampled_from(a.OrderGroupChange),
        contracts_limit=maybe(counts),
        at=to_milliseconds,
    ),
    st.builds(
        a.RfqAnnounced,
        rfq_id=words,
        change=st.sampled_from(a.RfqChange),
        creator_id=words,
        ticker=tickers,
        event_ticker=maybe(words.map(EventTicker)),
        count=maybe(counts),
        target_cost=maybe(amounts),
        collection_ticker=maybe(words),
        legs=st.lists(
            st.builds(
                a.RfqLeg,
                event_ticker=words.map(EventTicker),
                ticker=tickers,
                side=sides,
                settlement_value=maybe(prices),
            ),
            max_size=2,
        ).map(tuple),
        at=instants,
    ),
    st.builds(
        a.IndexAnnounced,
        source=st.just("pyth_value"),
        index_id=words,
        value=figures,
        source_at=to_milliseconds,
        received_at=to_milliseconds,
    ),
    st.builds(
        a.IndexAnnounced,
        source=st.just("cfbenchmarks_value"),
        index_id=words,
        value=st.none(),
        source_at=st.none(),
        received_at=to_milliseconds,
        frame=words,
        minute=st.builds(
            a.IndexAverage,
            value=figures,
            ticks=st.integers(0, 60),
            start=to_milliseconds,
            end=to_milliseconds,
        ),
        quarter_hour=st.none(),
    ),
    st.builds(
        a.QuoteAnnounced,
        quote_id=words,
        rfq_id=words,
        change=st.just(a.QuoteChange.CREATED),
        quote_creator_id=words,
        rfq_creator_id=words,
        ticker=tickers,
        event_ticker=maybe(words.map(EventTicker)),
        yes_bid=maybe(prices),
        no_bid=maybe(prices),
        yes_count=maybe(counts),
        no_count=maybe(counts),
        target_cost=maybe(amounts),
        subaccount=maybe(st.integers(0, 63).map(Subaccount)),
        at=to_milliseconds,
    ),
]


def over_the_line(value: a.Announcement) -> m.AnyMessage | m.Envelope:
    """Written by the server for its owner, read by the client; no field may be unknown to it."""
    publication = FLOOR.publication(value, user="me")
    body = publication.body(use_yes_price=True, is_own=True)
    frame = b'{"type":"%b","sid":1,"msg":%b}' % (publication.type, body)
    assert unknown_fields(frame) == ()
    return m.read_message(frame)


@given(value=fills | orders | markets | st.one_of(others))
def test_what_is_announced_is_what_is_heard(value: a.Announcement) -> None:
    message = over_the_line(value)

    assert not isinstance(message, m.Envelope | m.Reply)
    assert announcement(message) == value


levels = st.dictionaries(st.integers(1, 9_999), st.integers(1, 10**9), max_size=8)


@given(bids=levels, asks=levels, use_yes_price=st.booleans())
def test_a_book_is_the_same_in_both_price_modes(
    bids: dict[int, int], asks: dict[int, int], use_yes_price: bool
) -> None:
    snapshot = BookSnapshot(
        ticker=Ticker("KX-A"),
        bids=tuple(Level(Price(p), Count(c)) for p, c in sorted(bids.items(), reverse=True)),
        asks=tuple(Level(Price(p), Count(c)) for p, c in sorted(asks.items())),
    )
    body = to_wire.snapshot(snapshot, market_id="id", use_yes_price=use_yes_price)
    read = msgspec.json.decode(msgspec.json.encode(body), type=bodies.SnapshotBody)

    assert from_wire.book_levels(read, use_yes_price=use_yes_price) == (bids, asks)


@given(
    value=st.builds(
        BookDelta,
        ticker=tickers,
        side=sides,
        price=prices,
        change=signed_counts,
        at=maybe(to_milliseconds),
        clock=st.integers(1, 10**12),
        client_order_id=maybe(words.map(ClientOrderId)),
        subaccount=maybe(st.integers(0, 63).map(Subaccount)),
    ),
    use_yes_price=st.booleans(),
)
def test_a_change_is_the_same_in_both_price_modes(value: BookDelta, use_yes_price: bool) -> None:
    body = to_wire.delta(value, market_id="id", use_yes_price=use_yes_price, is_own=True)
    read = msgspec.json.decode(msgspec.json.encode(body), type=bodies.DeltaBody)

    assert from_wire.book_delta(read, use_yes_price=use_yes_price) == value


OLD_BOOK = [
    '{"yes":[[8,300],[22,333]],"no":[[54,20]]}',
    '{"yes":[[8,300]],"yes_dollars":[["0.0800",300],["0.2200",333]],"no_dollars":[["0.54",20]]}',
    '{"no":null,"yes_dollars_fp":[["0.08","300.00"],["0.22","333"]],"no_dollars_fp":[["0.54","20.0"]]}',
]


@pytest.mark.parametrize("levels", OLD_BOOK)
def test_books_of_all_eras_are_read(levels: str) -> None:
    body = msgspec.json.decode('{"market_ticker":"A",' + levels[1:], type=bodies.SnapshotBody)

    assert from_wire.book_levels(body, use_yes_price=False) == (
        {800: 30_000, 2200: 33_300},
        {4600: 2000},
    )


def test_a_change_in_whole_cents_is_read() -> None:
    message = m.read_message(
        b'{"type":"orderbook_delta","sid":1,"seq":2,"msg":{"market_ticker":"A","price":96,'
        b'"delta":-54,"side":"no"}}'
    )

    assert isinstance(message, m.Delta)
    assert from_wire.delta_units(message.msg, use_yes_price=False) == (False, 400, -5400)


NO_TRADES = [
    '"count_fp":"1.00","taker_side":"yes","ts":1',
    '"count_fp":"1.00","taker_side":"yes","ts":1,"yes_price_dollars":"1.2"',
    '"count_fp":"1.00","taker_side":"both","ts":1,"yes_price_dollars":"0.2"',
    '"count_fp":"0.001","taker_side":"yes","ts":1,"yes_price_dollars":"0.2"',
    '"taker_side":"yes","ts":1,"yes_price_dollars":"0.2"',
    '"count_fp":"1.00","taker_side":"yes","yes_price_dollars":"0.2"',
]
NONSENSE = [
    *(f'"trade","msg":{{"trade_id":"t","market_ticker":"A",{one}}}' for one in NO_TRADES),
    '"market_lifecycle_v2","msg":{"event_type":"exploded","market_ticker":"A"}',
    '"user_order","msg":{"order_id":"o","ticker":"A","status":"unknown","side":"yes"}',
]


@pytest.mark.parametrize("inside", NONSENSE)
def test_what_cannot_be_understood_is_refused(inside: str) -> None:
    message = m.read_message(f'{{"type":{inside},"sid":1}}')

    assert not isinstance(message, m.Envelope | m.Reply)
    with pytest.raises(from_wire.UNREADABLE):
        announcement(message)


def test_an_unknown_type_still_tells_its_place() -> None:
    message = m.read_message('{"type":"weather","sid":3,"seq":9,"msg":{"rain":true}}\n')

    assert isinstance(message, m.Envelope)
    assert message.is_new
    assert (message.sid, message.seq) == (3, 9)


def test_unknown_fields_are_named() -> None:
    frame = '{"type":"ticker","sid":1,"mood":"good","msg":{"market_ticker":"A","Clock":5}}'

    assert unknown_fields(frame) == ("mood", "msg.Clock")
    assert unknown_fields('{"type":"ok","msg":[{"channel":"fill","sid":3}]}') == ()
    assert unknown_fields("nonsense") == ()


def test_the_server_session_speaks_what_the_client_reads() -> None:
    session = ServerSession("me", FLOOR)

    frames = session.receive(
        '{"id":1,"cmd":"subscribe","params":{"channels":["ticker","orderbook_delta"],'
        '"market_tickers":["KX-A"],"send_initial_snapshot":true}}',
        NOW,
    )

    kinds = [type(m.read_message(frame)) for frame in frames]
    assert kinds == [m.Subscribed, m.Ticker, m.Subscribed, m.Snapshot]
