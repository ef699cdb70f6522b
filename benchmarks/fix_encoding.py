"""The encoding cases of the FIX benchmark: from values that stand ready to bytes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from fixcore.message.field import Group
from fixcore.message.message import Message as TheirMessage

from benchmarks.fix_messages import FIXCORE, KEY, OURS, PARTIES, QUICKFIX, START, has_quickfix
from benchmarks.measure import Case
from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import CollateralChange, Fee, NewOrderSingle
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.messages.settlement import MarketSettlementReport, SettlementParty
from trueup.wire.fix.words import CollateralType

FIRST = datetime(2026, 10, 16, 12, tzinfo=UTC)
STEP = 37_000
"""Microseconds from one message to the next."""

HEADER_TAGS = frozenset({49, 56, 34, 52})
Texts = list[tuple[int, str]]


@dataclass(frozen=True)
class Order:
    """A new order: each value as trueup has it, and as a program with `Decimal` has it."""

    number: int
    identity: str
    symbol: str
    is_no: bool
    at: Instant
    quantity: Count
    price: Price
    their_at: datetime
    their_quantity: Decimal
    their_price: Decimal


@dataclass(frozen=True)
class PartyValues:
    """What one party of a settlement held and was paid, in both forms."""

    identity: str
    is_long: bool
    quantity: Count
    payout: Money
    fee: Money
    their_quantity: Decimal
    their_payout: Decimal
    their_fee: Decimal


@dataclass(frozen=True)
class PageValues:
    """A page of a settlement."""

    number: int
    at: Instant
    their_at: datetime
    parties: tuple[PartyValues, ...]


def order(n: int) -> Order:
    """An order that differs from every other."""
    contracts, cents = 1 + n % 50, 1 + n % 97
    return Order(
        number=n + 2,
        identity=f"1a1b2c3d-e5f6-47a8-b9c0-{n:012d}",
        symbol=f"KXETHD-T{n % 40}",
        is_no=n % 2 == 1,
        at=Instant(START + n * STEP),
        quantity=Count.of_contracts(contracts),
        price=Price.of_cents(cents),
        their_at=FIRST + timedelta(microseconds=n * STEP),
        their_quantity=Decimal(contracts),
        their_price=Decimal(cents) / 100,
    )


def settlement(n: int) -> PageValues:
    """A page of a settlement that differs from every other."""
    parties = [
        PartyValues(
            identity=f"b0f5a944-8dbd-46ad-a48b-{n:06d}{each:06d}",
            is_long=each % 2 == 0,
            quantity=Count((each + n) * 100 + n % 100),
            payout=Money(micros),
            fee=Money(each % 10 * 100),
            their_quantity=Decimal((each + n) * 100 + n % 100) / 100,
            their_payout=Decimal(micros) / 1_000_000,
            their_fee=Decimal(each % 10 * 100) / 1_000_000,
        )
        for each in range(PARTIES)
        for micros in [(each + n) * 1_000_000 + each * 10_000 + n % 100 * 100]
    ]
    return PageValues(
        number=n + 2,
        at=Instant(START + n * STEP),
        their_at=FIRST + timedelta(microseconds=n * STEP),
        parties=tuple(parties),
    )


# -- ours --------------------------------------------------------------------------------------


def our_order(codec: Codec, values: Order) -> bytes:
    """Make the message and encode it."""
    header = Header(
        sender=KEY, target="KalshiNR", sequence=values.number, sending_time=values.at
    )  # fmt: skip
    message = NewOrderSingle(
        client_order_id=values.identity, quantity=values.quantity, price=values.price,
        side=Side.NO if values.is_no else Side.YES, symbol=values.symbol, subaccount=_PRIMARY,
    )  # fmt: skip
    return codec.encode(header, message)


_PRIMARY = Subaccount(0)
_CLEARED = date(2026, 10, 16)


def our_page(codec: Codec, values: PageValues) -> bytes:
    """Make the message with all its parties and encode it."""
    header = Header(
        sender="KalshiPT", target=KEY, sequence=values.number, sending_time=values.at
    )  # fmt: skip
    parties = [
        SettlementParty(
            party_id=each.identity,
            long_quantity=each.quantity if each.is_long else None,
            short_quantity=None if each.is_long else each.quantity,
            collateral_changes=(CollateralChange(amount=each.payout, kind=CollateralType.PAYOUT),),
            fees=(Fee(amount=each.fee),),
        )
        for each in values.parties
    ]
    message = MarketSettlementReport(
        report_id="r", symbol="K", clearing_date=_CLEARED, result=MarketResult.YES,
        settlement_price=_ONE, parties=tuple(parties),
    )  # fmt: skip
    return codec.encode(header, message)


_ONE = Price(10_000)


# -- theirs ------------------------------------------------------------------------------------


def order_texts(values: Order) -> Texts:
    """The fields of an order as another engine is given them."""
    return [
        (49, KEY), (56, "KalshiNR"), (34, str(values.number)), (52, _time(values.their_at)),
        (11, values.identity), (38, f"{values.their_quantity:.2f}"), (40, "2"),
        (44, f"{values.their_price:.4f}"), (54, "2" if values.is_no else "1"),
        (55, values.symbol), (79, "0"),
    ]  # fmt: skip


def page_texts(values: PageValues) -> Texts:
    """The same of a page, without its parties."""
    return [
        (49, "KalshiPT"), (56, KEY), (34, str(values.number)), (52, _time(values.their_at)),
        (20105, "r"), (55, "K"), (715, "20261016"), (20107, "yes"), (730, "100.00"),
    ]  # fmt: skip


def party_texts(each: PartyValues) -> tuple[Texts, Texts, Texts]:
    """A party, its one collateral change and its one fee."""
    quantity = 704 if each.is_long else 705, f"{each.their_quantity:.2f}"
    return (
        [(20109, each.identity), (20110, "24"), quantity],
        [(1704, f"{each.their_payout:.6f}"), (1705, "PAYOUT")],
        [(137, f"{each.their_fee:.6f}"), (138, "USD"), (139, "4"), (891, "0")],
    )


def _time(at: datetime) -> str:
    """Half the time of `strftime`."""
    return (
        f"{at.year}{at.month:02}{at.day:02}-{at.hour:02}:{at.minute:02}:{at.second:02}"
        f".{at.microsecond // 1000:03}"
    )


def fixcore_order(values: Order) -> bytes:
    """Fill the message and encode it."""
    message = TheirMessage()
    message.header.set(8, "FIXT.1.1")
    message.header.set(35, "D")
    for tag, text in order_texts(values):
        message.set_field(tag, text)
    return message.encode()


def fixcore_page(values: PageValues) -> bytes:
    """Fill the message with all its parties and encode it."""
    message = TheirMessage()
    message.header.set(8, "FIXT.1.1")
    message.header.set(35, "UMS")
    for tag, text in page_texts(values):
        message.set_field(tag, text)
    for each in values.parties:
        party, change, fee = Group(), Group(), Group()
        for group, texts in zip((party, change, fee), party_texts(each), strict=True):
            for tag, text in texts:
                group.set_field(tag, text)
        party.add_group(1703, change)
        party.add_group(136, fee)
        message.add_group(20108, party)
    return message.encode()


def quickfix_writers() -> tuple[Callable[[Order], str], Callable[[PageValues], str]]:
    """The same with the C++ engine; it ends with text."""
    quickfix: Any = importlib.import_module("quickfix")

    def filled(kind: str, texts: Texts) -> Any:
        message = quickfix.Message()
        header = message.getHeader()
        header.setField(8, "FIXT.1.1")
        header.setField(35, kind)
        for tag, text in texts:
            (header if tag in HEADER_TAGS else message).setField(tag, text)
        return message

    def quick_order(values: Order) -> str:
        return filled("D", order_texts(values)).toString()

    def quick_page(values: PageValues) -> str:
        message = filled("UMS", page_texts(values))
        for each in values.parties:
            groups = [quickfix.Group(*ends) for ends in ((20108, 20109), (1703, 1704), (136, 137))]
            for group, texts in zip(groups, party_texts(each), strict=True):
                for tag, text in texts:
                    group.setField(tag, text)
            party, change, fee = groups
            party.addGroup(change)
            party.addGroup(fee)
            message.addGroup(party)
        return message.toString()

    return quick_order, quick_page


# -- the cases ---------------------------------------------------------------------------------


def encode_cases(orders: int, pages: int) -> dict[str, dict[str, Case]]:
    """Both tasks, after a look whether all write the same message."""
    codec = Codec(unit=PriceUnit.DOLLARS)
    writer = Codec(reads=Sender.CLIENT, unit=PriceUnit.DOLLARS)
    order_ways: dict[str, Callable[[Order], object]] = {
        OURS: lambda values: our_order(codec, values),
        FIXCORE: fixcore_order,
    }
    page_ways: dict[str, Callable[[PageValues], object]] = {
        OURS: lambda values: our_page(writer, values),
        FIXCORE: fixcore_page,
    }
    if has_quickfix():
        order_ways[QUICKFIX], page_ways[QUICKFIX] = quickfix_writers()
    _agree(writer, [way(order(7)) for way in order_ways.values()])
    _agree(codec, [way(settlement(7)) for way in page_ways.values()])
    return {
        "encode NewOrderSingle": _cases(order_ways, order, orders),
        "encode settlement page": _cases(page_ways, settlement, pages),
    }


def _agree(reader: Codec, written: Sequence[Any]) -> None:
    read = [reader.decode(each.encode() if isinstance(each, str) else each) for each in written]
    assert all(each == read[0] for each in read), read


def _cases(
    ways: dict[str, Callable[[Any], object]], make: Callable[[int], Any], count: int
) -> dict[str, Case]:
    """Each way over the same values, other ones in every round."""

    @cache
    def batch(number: int) -> list[Any]:
        return [make(each) for each in range(number * count, (number + 1) * count)]

    def case(write: Callable[[Any], object]) -> Case:
        numbers = iter(range(1 << 30))

        @contextmanager
        def prepared() -> Generator[Callable[[], object]]:
            given = batch(next(numbers))

            def work() -> None:
                for values in given:
                    write(values)

            yield work

        return prepared

    return {name: case(write) for name, write in ways.items()}
