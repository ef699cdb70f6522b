"""What happens to settlement pages between the exchange and a client: faults, older spellings.

Only a page's first way is disturbed: what is sent again (43=Y) arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.net.fix.acceptor import CUT, OnTheLine
from trueup.wire.fix.frame import SOH, close_frame, open_frame
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.pairs import split_body

_PAGE: Final = f"{SOH}35={MarketSettlementReport.TYPE}{SOH}".encode()
_AGAIN: Final = f"{SOH}43=Y{SOH}".encode()
_RESULT, _PRICE = "20107", "730"
_WHOLE: Final = ".00"


@dataclass(slots=True)
class FixFaults:
    """How many of the next pages go wrong.  The counts go down to zero as it happens.

    A `lost` page keeps its number, so the client sees a gap and asks.  A `doubled` one
    comes twice with the same number, which ends the session.  After `until_cut` more pages
    (`None`: never) the connection breaks.  With `is_older` results are written ``Yes`` and
    whole settlement prices without decimals, as in the oldest reports.
    """

    lost: int = 0
    doubled: int = 0
    until_cut: int | None = None
    is_older: bool = False

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
