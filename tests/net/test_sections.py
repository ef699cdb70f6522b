"""The pleasant surface: every operation of the API, on both clients, from one description."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, assert_type

import pytest

from trueup.core.errors import ProtocolBroken
from trueup.core.ids import Ticker
from trueup.core.order_entry import OrderPlaced
from trueup.net.client import AsyncClient, Client
from trueup.net.section import AsyncListing, Blocking, Follows, Listing, Lists, Sends
from trueup.net.sections import Sections
from trueup.wire import rest
from trueup.wire.rest.call import Page, Unreadable
from trueup.wire.rest.rows.full import FullMarket


def members() -> Iterator[tuple[str, Any]]:
    sections: dict[str, object] = vars(Sections[Blocking](NoCarrier()))
    for name, section in sections.items():
        members: dict[str, object] = dict(vars(type(section)))
        for attribute, member in members.items():
            if isinstance(member, Sends | Lists | Follows):
                yield f"{name}.{attribute}", member


class NoCarrier:
    """A client that may not be used."""

    def send(self, call: Any) -> Any:
        raise AssertionError(call)

    def run(self, flow: Any) -> Any:
        raise AssertionError(flow)

    def listing(self, call: Any) -> Any:
        raise AssertionError(call)


@pytest.mark.parametrize(("name", "member"), list(members()))
def test_every_member_says_what_it_does(name: str, member: Any) -> None:
    assert member.__doc__, name
    assert member.__doc__.strip()[0].isupper() or member.__doc__.startswith("`")


def builders() -> set[str]:
    """The functions of the sections of the API that build a call."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(rest.__path__, f"{rest.__name__}."):
        if module.name.rpartition(".")[2] in {"full", "request"}:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if not inspect.isfunction(value) or name.startswith("_"):
                continue
            own = value.__module__ == module.name
            if own and str(value.__annotations__.get("return", "")).startswith("Call["):
                found.add(f"{module.name}.{name}")
    return found


def test_every_call_of_the_api_is_on_the_surface() -> None:
    on_it = {
        f"{inspect.unwrap(member.build).__module__}.{inspect.unwrap(member.build).__name__}"
        for _, member in members()
        if not isinstance(member, Follows)
    }
    by_flows = {
        f"trueup.wire.rest.orders.{name}"
        for name in ("create", "create_batch", "amend", "decrease", "cancel", "cancel_batch")
    }

    assert builders() - on_it == by_flows
    assert on_it <= builders()
    assert len(builders()) >= 128


def test_both_clients_are_the_same_sections() -> None:
    assert issubclass(Client, Sections)
    assert issubclass(AsyncClient, Sections)


def pages(*found: Page[int]) -> Callable[[], Iterator[Page[int]]]:
    return lambda: iter(found)


def test_listing_gives_the_records_of_all_pages() -> None:
    listing = Listing(pages(Page((1, 2), (b"1", b"2"), "c"), Page((3,), (b"3",), "")))

    assert list(listing) == [1, 2, 3]
    assert list(listing) == [1, 2, 3]
    assert [len(one.items) for one in listing.pages()] == [2, 1]


def test_record_that_cannot_be_read_is_not_left_out_in_silence() -> None:
    broken = Page((1,), (b"1",), "", (Unreadable(b'{"status":"odd"}', "unknown word 'odd'"),))

    with pytest.raises(ProtocolBroken, match="unknown word 'odd'"):
        list(Listing(pages(broken)))
    assert next(iter(Listing(pages(broken)).pages())).unreadable


def test_async_listing_gives_the_same() -> None:
    async def found() -> AsyncIterator[Page[int]]:
        for one in (Page((1, 2), (b"1", b"2"), "c"), Page((3,), (b"3",), "")):
            yield one

    async def walk() -> list[int]:
        return [item async for item in AsyncListing[int](found)]

    assert asyncio.run(walk()) == [1, 2, 3]


def typed_sync(client: Client) -> None:
    """Not run: the type checker proves that the surface says what it gives."""
    placed = client.orders.buy("T", "yes", count=3, price="0.50", post_only=True)
    assert_type(placed, OrderPlaced)
    for market in client.markets.list(status="open"):
        assert_type(market, FullMarket)


async def typed_async(client: AsyncClient) -> None:
    placed = await client.orders.buy(Ticker("T"), "yes", count=3, price="0.50")
    assert_type(placed, OrderPlaced)
    async for market in client.markets.list(status="open"):
        assert_type(market, FullMarket)
