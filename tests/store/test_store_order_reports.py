from __future__ import annotations

from dataclasses import replace

from store_facts import SNOW, later, order, seen

from trueup.core.facts import OrderReported, Stream
from trueup.core.ids import OrderId, Shard, Subaccount
from trueup.core.orders import OrderStatus
from trueup.core.units import Count, Price
from trueup.store.database import Books


def reports(books: Books, subaccount: int | None = None) -> list[OrderReported]:
    whose = None if subaccount is None else Subaccount(subaccount)
    return list(books.rested_orders(whose))


def test_every_report_of_an_order_is_read_and_not_only_the_merged_view(books: Books) -> None:
    first = order()
    amended = replace(order(updated=20), price=Price.parse("0.70"), remaining_count=Count(400))
    ended = replace(order(OrderStatus.CANCELED, updated=30), price=Price.parse("0.70"))
    for at, report in enumerate((first, amended, ended)):
        books.append(seen(report, at=at), stream=Stream.ORDERS)

    assert reports(books) == [first, amended, ended]


def test_reports_come_market_by_market_and_order_by_order(books: Books) -> None:
    early = replace(order(number=1), ticker=SNOW, created_at=later(-60))
    late = replace(order(number=2), ticker=SNOW, created_at=later(60), updated_at=later(60))
    other = order(number=3)
    taken = order(OrderStatus.EXECUTED, number=4)
    changed = replace(early, remaining_count=Count(100), updated_at=later(90))
    books.append(seen(late, other, early, taken), stream=Stream.ORDERS)
    books.append(seen(changed, at=1), stream=Stream.ORDERS)

    assert reports(books) == [early, changed, late, other]


def test_reports_of_an_order_stay_together_although_it_moved_to_another_shard(
    books: Books,
) -> None:
    moved = replace(order(updated=20), shard=Shard(2))
    books.append(seen(order()), stream=Stream.ORDERS)
    books.append(seen(moved, at=1), stream=Stream.ORDERS)

    assert [(each.shard, each.updated_at) for each in reports(books)] == [
        (2, later(0)),
        (2, later(20)),
    ]


def test_orders_of_another_subaccount_are_left_out(books: Books) -> None:
    theirs = replace(order(number=2), order_id=OrderId("theirs"), subaccount=Subaccount(1))
    books.append(seen(order(), theirs), stream=Stream.ORDERS)

    assert reports(books, 1) == [theirs]
