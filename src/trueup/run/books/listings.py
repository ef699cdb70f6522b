"""The listings of an account's streams, from when they are asked and what they prove."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from trueup.core.facts import Fact, Stream
from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.statements import Statement
from trueup.ledger.coverage import Tier
from trueup.run.books.fetching import Listing
from trueup.wire.rest import cash, historical, portfolio
from trueup.wire.rest.call import Call, Page


class _Asked(Protocol):
    """A listing that has a live and a historical tier, as the wire asks for it."""

    def __call__(
        self, *, min_at: Instant | None, subaccount: Subaccount | None
    ) -> Call[Page[Fact | Statement]]:
        """The call for what is newer than `min_at`, of one subaccount or (`None`) of all."""
        ...


BEGINNING: Final = Instant(0)
"""Before the exchange existed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when a stream is asked for, and where the live tier begins."""

    since: Instant
    now: Instant
    live_from: Instant

    @property
    def live_covers(self) -> tuple[Instant, Instant] | None:
        """What reading the live tier to its end proves."""
        start = max(self.since, self.live_from)
        return (start, self.now) if start < self.now else None

    @property
    def needs_history(self) -> bool:
        """Whether the window reaches back behind the live tier."""
        return self.since < self.live_from

    @property
    def history_until(self) -> Instant:
        """Up to when the historical tier has what the live tier does not prove."""
        return min(self.live_from, self.now)

    @property
    def asked_from(self) -> Instant | None:
        """The time filter: none at all for "from the beginning"."""
        return None if self.since == BEGINNING else self.since


def fills(window: Window, view: Subaccount | None, *, resumable: bool = True) -> Iterator[Listing]:
    """Fills of `view` (`None`: of all subaccounts): the live tier first, as its border moves."""
    asked = portfolio.fills, historical.fills
    return _both_tiers(Stream.FILLS, asked, window, view=view, resumable=resumable)


def orders(window: Window, view: Subaccount | None, *, resumable: bool = True) -> Iterator[Listing]:
    """Orders of `view` (`None`: of all subaccounts), the live tier first."""
    asked = portfolio.orders, historical.orders
    return _both_tiers(Stream.ORDERS, asked, window, view=view, resumable=resumable)


def _both_tiers(
    stream: Stream,
    asked: tuple[_Asked, _Asked],
    window: Window,
    *,
    view: Subaccount | None,
    resumable: bool,
) -> Iterator[Listing]:
    """A stream with a live and a historical tier; the second is asked only where it is needed."""
    live, archived = asked
    yield Listing(
        stream=stream,
        call=live(min_at=window.asked_from, subaccount=view),
        subaccount=view,
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=resumable,
    )
    if window.needs_history:
        yield Listing(
            stream=stream,
            call=archived(min_at=window.asked_from, subaccount=view),
            subaccount=view,
            tier=Tier.HISTORICAL,
            since=window.since,
            until=window.history_until,
            covers=(window.since, window.history_until),
            resumable=resumable,
        )


def settlements(window: Window, subaccount: Subaccount) -> Listing:
    """Settlement rows of one subaccount; there is no historical tier of them."""
    return Listing(
        stream=Stream.SETTLEMENTS,
        call=portfolio.settlements(min_at=window.asked_from, subaccount=subaccount),
        subaccount=subaccount,
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=True,
    )


def cash_movements(now: Instant, view: Subaccount | None) -> Iterator[Listing]:
    """Cash movements as `view` may see them: short listings, read whole each time."""
    calls: tuple[tuple[Stream, Callable[[], object]], ...] = (
        (Stream.DEPOSITS, cash.deposits),
        (Stream.WITHDRAWALS, cash.withdrawals),
        (Stream.TRANSFERS, cash.subaccount_transfers),
        (Stream.SHARD_TRANSFERS, cash.shard_transfers),
    )
    for stream, call in calls:
        yield Listing(
            stream=stream,
            subaccount=view,
            call=call(),  # type: ignore[arg-type]  # each gives a listing of facts
            since=BEGINNING,
            until=now,
            covers=(BEGINNING, now),
        )
