"""What happens to messages between the exchange and a client: faults, older spellings.

`FixFaults` is exact (so many of the next settlement pages), a `FaultPlan` has the faults by
name, which are switched on while a sandbox runs.  Both disturb only a message's first way:
what is sent again (43=Y) arrives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from trueup.net.acceptor.gate import Clock
from trueup.net.fix.acceptor import CUT, Late, OnTheLine
from trueup.sim.faults import FaultPlan, FrameFate
from trueup.wire.fix.frame import SOH, close_frame, open_frame
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.pairs import split_body

_PAGE: Final = f"{SOH}35={MarketSettlementReport.TYPE}{SOH}".encode()
_AGAIN: Final = f"{SOH}43=Y{SOH}".encode()
_RESULT, _PRICE = "20107", "730"
_WHOLE: Final = ".00"
_ADMIN: Final = re.compile(rb"\x0135=[0-5A]\x01")
_SYMBOL: Final = re.compile(rb"\x0155=([^\x01]*)\x01")


@dataclass(slots=True)
class FixFaults:
    """How many of the next pages go wrong.  The counts go down to zero as it happens.

    A `lost` page keeps its number, so the client sees a gap and asks.  One that comes `never`
    takes none: only the announced number of pages tells that it is missing.  A `doubled` one
    comes twice with the same number, which ends the session.  After `until_cut` more pages
    (`None`: never) the connection breaks.  With `is_older` results are written ``Yes`` and
    whole settlement prices without decimals, as in the oldest reports.
    """

    lost: int = 0
    doubled: int = 0
    until_cut: int | None = None
    is_older: bool = False
    never: int = 0

    def loses_for_good(self) -> bool:
        """Whether the next page is never sent; counts down."""
        if not self.never:
            return False
        self.never -= 1
        return True

    def __call__(self, raw: bytes) -> OnTheLine:
        """What becomes of one message that was sent."""
        if _PAGE not in raw:
            return (raw,)
        page = older(raw) if self.is_older else raw
        if _AGAIN in raw:
            return (page,)
        if self.until_cut is not None:
            if not self.until_cut:
                self.until_cut = None
                return (CUT,)
            self.until_cut -= 1
        if self.lost:
            self.lost -= 1
            return ()
        if self.doubled:
            self.doubled -= 1
            return (page, page)
        return (page,)


class FixLine:
    """The way of every message to the clients of one sandbox."""

    def __init__(self, exact: FixFaults, plan: FaultPlan | None, world_clock: Clock) -> None:
        self._exact = exact
        self._plan = plan
        self._world_clock = world_clock

    def __call__(self, raw: bytes) -> OnTheLine:
        """What becomes of one message that was sent."""
        plan = self._plan
        if plan is None or not plan.faults:
            return self._exact(raw)
        now = self._world_clock()
        if plan.is_silent(now):
            return ()
        if _AGAIN in raw or _ADMIN.search(raw):
            return (raw,)
        ticker = _symbol(raw)
        passed = self._exact(raw)
        match plan.message_fate(now, ticker):
            case FrameFate.LOST:
                return ()
            case FrameFate.CUT:
                return (CUT,)
            case FrameFate.TWICE:
                passed = (*passed, *passed)
            case _:
                pass
        delay = plan.message_delay(now, ticker)
        return (Late(delay), *passed) if delay else passed


def _symbol(raw: bytes) -> str:
    """The market of a message; empty where it has none."""
    found = _SYMBOL.search(raw)
    return "" if found is None else found[1].decode("utf-8", "replace")


def older(raw: bytes) -> bytes:
    """A settlement page in the spelling of the oldest reports; length and checksum fit again."""
    tags, values = split_body(open_frame(raw))
    fields = (
        f"{tag}={_older_value(tag, value)}{SOH}" for tag, value in zip(tags, values, strict=True)
    )
    return close_frame("".join(fields).encode("utf-8", "surrogateescape"))


def _older_value(tag: str, value: str) -> str:
    if tag == _RESULT:
        return value.capitalize()
    return value.removesuffix(_WHOLE) if tag == _PRICE else value
