"""The invented messages of the FIX benchmark, and the names of its cases."""

from __future__ import annotations

import importlib.util

from trueup.core.instant import Instant
from trueup.wire.fix.frame import close_frame
from trueup.wire.fix.kinds import read_instant, write_instant

PARTIES = 50
OURS, FIXCORE, QUICKFIX = "trueup", "fixcore", "quickfix"
START = read_instant("20261016-12:00:00.000")
KEY = "a1b2c3d4-e5f6-47a8-b9c0-d1e2f3a4b5c6"


def has_quickfix() -> bool:
    """Whether the C++ engine's binding is installed (it takes minutes to build)."""
    return importlib.util.find_spec("quickfix") is not None


def execution(number: int) -> bytes:
    """A trade report with all that the exchange sends, different for every number."""
    at = write_instant(Instant(START + number * 37_000))
    price, count = f"0.{1 + number % 97:02d}00", f"{1 + number % 50}.00"
    body = (
        f"35=8|34={number + 2}|49=KalshiNR|56={KEY}|52={at}|37=0a1b2c3d-e5f6-47a8-b9c0-{number:012d}|"
        f"11=1a1b2c3d-e5f6-47a8-b9c0-{number:012d}|17={123_456 + number};{number};0|150=F|39=1|"
        f"54={1 + number % 2}|55=KXETHD-25JUN{number % 28 + 1:02d}11-T{1500 + number % 40}.99|"
        f"151=50.00|14={count}|6={price}|38=100.00|31={price}|32={count}|44={price}|60={at}|59=1|"
        f"136=1|137=0.{number % 100:02d}00|138=USD|139=4|891=0|79={number % 64}|704={count}|705=0.00|"
        f"1703=1|1704=-{number % 50}.{number % 100:02d}00|1705=BALANCE|"
        f"880=7a1b2c3d-e5f6-47a8-b9c0-{number:012d}|1057={'YN'[number % 2]}|30=0|715=20261016|"
    )
    return close_frame(body.replace("|", "\x01").encode())


def page(number: int) -> bytes:
    """A page of a settlement; some parties hold YES, some NO."""
    head = (
        f"35=UMS|34={number + 2}|49=KalshiPT|56={KEY}|52={write_instant(Instant(START + number))}|"
        f"20105=72a1088b-0da9-48d2-acdd-{number:012d}|55=KXETHD-25JUN1912-T{number}|715=20261016|"
        f"20106=1|20107=scalar|730=30.60|893=Y|20108={PARTIES}|"
    )
    parties = "".join(
        f"20109=b0f5a944-8dbd-46ad-a48b-{number:06d}{each:06d}|20110=24|"
        f"{'704' if each % 2 else '705'}={each + number}.{number % 100:02d}|"
        f"1703=1|1704={each + number}.{each:02d}{number % 100:02d}|1705=PAYOUT|"
        f"136=1|137=0.0000{each % 10}|138=USD|139=4|891=0|"
        for each in range(PARTIES)
    )
    return close_frame((head + parties).replace("|", "\x01").encode())
