"""FIX: a settlement of 1,000,000 parties, booked page by page; time and memory.

One settlement report comes in pages of 50 parties, as bytes; each page is read, and it and
its parties go into new books in one transaction, as `trueup fix listen` does it.  The
parties belong to 64 subaccounts, as `config.toml` maps them: 63 by name, all others by "*".
Booking goes on meanwhile, every few seconds; at the end the payouts of all books must add up
to what the pages said.  Each size has a process of its own: the memory must not grow with
the parties, as only counters are held.  Writing the pages is not timed.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.units import Count, Money, Price
from trueup.net.fix.endpoints import resolve_fix_endpoint
from trueup.net.fix.store import SessionStore
from trueup.net.venues import Venue
from trueup.run.books.account import Account
from trueup.run.desk import Desk, read_desk_settings
from trueup.run.fix.booking import FixBooks
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import CollateralChange, Fee
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.messages.settlement import MarketSettlementReport, SettlementParty
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.words import CollateralType

SIZES: Final = (10_000, 100_000, 1_000_000)
PARTIES_PER_PAGE: Final = 50
SUBACCOUNTS: Final = 64
START: Final = Instant(1_792_195_200_000_000)


@dataclass(frozen=True)
class Run:
    """What one size took."""

    parties: int
    seconds: float
    cpu: float
    mib: float
    mib_before: float


class Watch:
    """Adds up the time of blocks: by the clock, and of the processor."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def __enter__(self) -> None:
        self.seconds -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *exception: object) -> None:
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()


def page(number: int, pages: int, parties: int) -> bytes:
    """One page of the settlement, as it comes over the line."""
    first = number * PARTIES_PER_PAGE
    message = MarketSettlementReport(
        report_id=f"report-{number}",
        symbol="KXFED-26OCT-T4.25",
        clearing_date=date(2026, 10, 16),
        reports_in_all=pages,
        result=MarketResult.SCALAR,
        settlement_price=Price.parse("0.3060"),
        is_last=number == pages - 1,
        parties=tuple(party(each) for each in range(first, min(first + PARTIES_PER_PAGE, parties))),
    )
    header = Header(
        sender="KalshiPT", target="key", sequence=number + 2, sending_time=Instant(START + number)
    )
    return Codec(reads=Sender.CLIENT).encode(header, message)


def party(number: int) -> SettlementParty:
    """One party; its payout is its position times 30.60 cents, cut to 1/100 cent."""
    count = Count(100 + number % 900)
    gross = Price.parse("0.3060") * count
    paid = gross.floor_to(Money.parse("0.0001"))
    return SettlementParty(
        party_id=f"party-{number}",
        long_quantity=count,
        short_quantity=Count(0),
        collateral_changes=(CollateralChange(amount=paid, kind=CollateralType.PAYOUT),),
        fees=(Fee(amount=gross - paid),),
    )


def configuration() -> str:
    """Which party is which subaccount."""
    named = "".join(f'"party-{number}" = {number}\n' for number in range(1, SUBACCOUNTS))
    return f'venue = "demo"\n[fix_parties]\n"*" = 0\n{named}'


def run(parties: int) -> Run:
    """Book a settlement of so many parties in new books."""
    pages = -(-parties // PARTIES_PER_PAGE)
    paid = sum(party(each).collateral_changes[0].amount.units for each in range(parties))
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config.toml").write_text(configuration())
        with Account(Desk(read_desk_settings({"TRUEUP_HOME": home}))) as account:
            books, reader = account.desk.books(), Codec(reads=Sender.EXCHANGE)
            before, watch = peak_mib(), Watch()
            endpoint = resolve_fix_endpoint(Venue.DEMO, SessionKind.PT)
            with (
                SessionStore.open(Path(home, "fix"), endpoint, "key", listens=True) as store,
                FixBooks(
                    account, SessionKind.PT, "key", store=store, retention_hours=72
                ) as listener,
            ):
                listener.logged_on(was_reset=False, at=START)
                for number in range(pages):
                    raw = page(number, pages, parties)
                    with watch:
                        listener.take(reader.decode(raw), raw, Instant(START + number))
                        listener.rest(at_once=False)
                with watch:
                    listener.rest(at_once=True)
            (whole,) = books.report_pages()
            booked = sum(each.payout.units for each in books.market_books())
            if not whole.is_complete or whole.parties != parties or booked != paid:
                raise SystemExit(f"{booked} booked, {paid} reported, {whole.words()}")
    return Run(parties, watch.seconds, watch.cpu, peak_mib(), before)


def peak_mib() -> float:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    print("\n## fix-batch: one settlement report, 50 parties a page, on SQLite\n")
    print(
        f"{'parties':>10}{'pages':>9}{'seconds':>9}{'CPU s':>8}{'CPU µs/party':>14}"
        f"{'peak MiB':>10}{'at start':>10}",
        flush=True,
    )
    for parties in SIZES:
        words = subprocess.run(  # noqa: S603  # ourselves
            [sys.executable, "-m", "benchmarks.fix_batch", str(parties)],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
        ).stdout.split()
        seconds, cpu, mib, before = map(float, words)
        print(
            f"{parties:>10,}{-(-parties // PARTIES_PER_PAGE):>9,}{seconds:>9.1f}"
            f"{cpu:>8.1f}{cpu / parties * 1e6:>14.0f}{mib:>10.0f}{before:>10.0f}",
            flush=True,
        )
    print("\nEvery payout was booked, to the micro-dollar. 'at start' is before the first page.")


if __name__ == "__main__":
    of = run(int(sys.argv[1]))
    print(of.seconds, of.cpu, of.mib, of.mib_before)
