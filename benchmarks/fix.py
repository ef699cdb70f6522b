"""FIX: parse and type, and encode, against `fixcore-engine` (and `quickfix` where it is built).

All messages are invented and all different, so that nothing is faster for having been
seen before.  In every case length, checksum and the counts of repeating groups are
checked, and every value is turned into what a program can use:

- *trueup*: bytes to the typed message, amounts as exact integers;
- *fixcore, parsed*: bytes to that engine's message with our exported dictionary, its
  values still text;
- *fixcore, typed*: the same, and then every value read as the type it has (`Decimal`,
  `int`, `datetime`, `bool`, text), group by group;
- *quickfix, parsed* and *typed*: the same with the C++ engine by its Python binding.

Encoding starts from values of the same types and ends with bytes: for trueup a message
object that is made and encoded, for the others a message that is filled field by field.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from fixcore.message.data_dictionary import DataDictionary
from fixcore.message.field import Group
from fixcore.message.message import Message as TheirMessage

from benchmarks.measure import Timing, in_turn, plain, show
from trueup.core.ids import Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.dictionary import Layout, dictionary
from trueup.wire.fix.export import quickfix_xml
from trueup.wire.fix.frame import close_frame
from trueup.wire.fix.kinds import PriceUnit, read_instant, write_instant
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import ExecutionReport, NewOrderSingle
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.messages.settlement import MarketSettlementReport

REPORTS, PAGES, PARTIES, ROUNDS = 2_000, 60, 50, 15
OURS, PARSED, TYPED = "trueup", "fixcore, parsed", "fixcore, typed"
QUICK_PARSED, QUICK_TYPED = "quickfix, parsed", "quickfix, typed"
FIXCORE, QUICKFIX = "fixcore", "quickfix"
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


def _decimal(text: str) -> Decimal:
    return Decimal(text)


def _datetime(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d-%H:%M:%S.%f").replace(tzinfo=UTC)


READERS: dict[str, Callable[[str], object]] = {
    "QTY": _decimal, "AMT": _decimal, "PRICE": _decimal, "INT": int, "SEQNUM": int,
    "LENGTH": int, "NUMINGROUP": int, "BOOLEAN": "Y".__eq__, "UTCTIMESTAMP": _datetime,
    "LOCALMKTDATE": lambda text: datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date(),
}  # fmt: skip


def plans() -> dict[int, Callable[[str], object]]:
    """How a careful user of another engine reads each field (text stays text)."""
    found: dict[int, Callable[[str], object]] = {}
    waiting: list[Layout] = [dictionary(PriceUnit.DOLLARS).header]
    waiting += dictionary(PriceUnit.DOLLARS).messages
    while waiting:
        layout = waiting.pop()
        for member in layout.members:
            found[member.field.tag] = READERS.get(member.kind.fix, str)
            if member.entry is not None:
                waiting.append(member.entry)
    return found


def type_theirs(message: TheirMessage, readers: dict[int, Callable[[str], object]]) -> int:
    """Read every value of a parsed message as its type; gives how many there were."""
    read = 0
    for tag, value in message.header.items():
        readers.get(tag, str)(value)
        read += 1
    for tag, value in message.body.items():
        readers.get(tag, str)(value)
        read += 1
    waiting = [entry for entries in message.groups().values() for entry in entries]
    while waiting:
        entry = waiting.pop()
        for tag, value in entry.items():
            readers.get(tag, str)(value)
            read += 1
        for nested in entry.nested_groups().values():
            waiting += nested
    return read


def parse_cases(raws: Sequence[bytes], folder: Path) -> dict[str, Callable[[], None]]:
    """What is timed for parsing."""
    codec = Codec(unit=PriceUnit.DOLLARS)
    file = folder / "kalshi.xml"
    file.write_text(quickfix_xml(), encoding="utf-8")
    theirs, readers = DataDictionary.from_xml(file), plans()

    def ours() -> None:
        for raw in raws:
            codec.decode(raw)

    def parsed() -> None:
        for raw in raws:
            TheirMessage.decode(raw, theirs)

    def typed() -> None:
        for raw in raws:
            type_theirs(TheirMessage.decode(raw, theirs), readers)

    cases = {OURS: ours, PARSED: parsed, TYPED: typed}
    if has_quickfix():
        cases.update(quickfix_parse_cases(raws, file))
    return cases


def quickfix_parse_cases(raws: Sequence[bytes], file: Path) -> dict[str, Callable[[], None]]:
    """The same with the C++ engine."""
    quickfix: Any = importlib.import_module("quickfix")
    known = quickfix.DataDictionary(str(file))
    texts = [raw.decode() for raw in raws]
    readers, entry_groups = plans(), group_shapes()

    def parsed() -> None:
        for text in texts:
            quickfix.Message(text, known, True)

    def read_map(fields: Any, tags: Sequence[int]) -> None:
        for tag in tags:
            if fields.isSetField(tag):
                readers[tag](fields.getField(tag))
                if tag in entry_groups:
                    delimiter, members = entry_groups[tag]
                    for number in range(1, int(fields.getField(tag)) + 1):
                        group = quickfix.Group(tag, delimiter)
                        fields.getGroup(number, group)
                        read_map(group, members)

    layouts = dictionary(PriceUnit.DOLLARS)
    header = [member.field.tag for member in layouts.header.members]
    bodies = {
        kind: [member.field.tag for member in layout.members]
        for kind, layout in layouts.sent_by(Sender.EXCHANGE).items()
    }
    kind = texts[0].split("\x0135=")[1].split("\x01")[0]

    def typed() -> None:
        for text in texts:
            message = quickfix.Message(text, known, True)
            read_map(message.getHeader(), header)
            read_map(message, bodies[kind])

    return {QUICK_PARSED: parsed, QUICK_TYPED: typed}


def group_shapes() -> dict[int, tuple[int, list[int]]]:
    """Number of a group → its delimiter and members."""
    found: dict[int, tuple[int, list[int]]] = {}
    waiting: list[Layout] = list(dictionary(PriceUnit.DOLLARS).messages)
    while waiting:
        layout = waiting.pop()
        for member in layout.groups:
            if member.entry is not None:
                members = [each.field.tag for each in member.entry.members]
                found[member.field.tag] = members[0], members
                waiting.append(member.entry)
    return found


def order_cases(count: int) -> dict[str, Callable[[], None]]:
    """Encode new orders from the values that a bot has."""
    codec = Codec(unit=PriceUnit.DOLLARS)
    wanted = [
        (f"1a1b2c3d-e5f6-47a8-b9c0-{n:012d}", 1 + n % 50, 1 + n % 97, n % 2, f"KXETHD-T{n % 40}")
        for n in range(count)
    ]
    first = datetime(2026, 10, 16, 12, tzinfo=UTC)

    def ours() -> None:
        for number, (identity, contracts, cents, side, ticker) in enumerate(wanted):
            header = Header(
                sender=KEY, target="KalshiNR", sequence=number + 2,
                sending_time=Instant(START + number * SECOND),
            )  # fmt: skip
            order = NewOrderSingle(
                client_order_id=identity, quantity=Count.of_contracts(contracts),
                price=Price.of_cents(cents), side=Side.NO if side else Side.YES, symbol=ticker,
                subaccount=Subaccount(0),
            )  # fmt: skip
            codec.encode(header, order)

    def texts(number: int) -> list[tuple[int, str]]:
        identity, contracts, cents, side, ticker = wanted[number]
        at = first + timedelta(seconds=number)
        return [
            (49, KEY), (56, "KalshiNR"), (34, str(number + 2)),
            (52, at.strftime("%Y%m%d-%H:%M:%S.%f")[:-3]), (11, identity),
            (38, f"{Decimal(contracts):.2f}"), (40, "2"), (44, f"{Decimal(cents) / 100:.4f}"),
            (54, "2" if side else "1"), (55, ticker), (79, "0"),
        ]  # fmt: skip

    def theirs() -> None:
        for number in range(count):
            message = TheirMessage()
            message.header.set(8, "FIXT.1.1")
            message.header.set(35, "D")
            for tag, value in texts(number):
                message.set_field(tag, value)
            message.encode()

    cases = {OURS: ours, FIXCORE: theirs}
    if has_quickfix():
        cases[QUICKFIX] = quickfix_encode_case(count, texts)
    return cases


def quickfix_encode_case(
    count: int, texts: Callable[[int], list[tuple[int, str]]]
) -> Callable[[], None]:
    """The same with the C++ engine."""
    quickfix: Any = importlib.import_module("quickfix")

    def quick() -> None:
        for number in range(count):
            message = quickfix.Message()
            header = message.getHeader()
            header.setField(8, "FIXT.1.1")
            header.setField(35, "D")
            for tag, value in texts(number):
                (header if tag in {49, 56, 34, 52} else message).setField(tag, value)
            message.toString()

    return quick


def page_cases(raws: Sequence[bytes]) -> dict[str, Callable[[], None]]:
    """Encode settlement pages that stand ready as messages (text for the other engine)."""
    codec, writer = (
        Codec(unit=PriceUnit.DOLLARS),
        Codec(reads=Sender.CLIENT, unit=PriceUnit.DOLLARS),
    )
    received = [codec.decode(raw) for raw in raws]
    fills = [[(party, _texts_of(party)) for party in _parties(each.message)] for each in received]

    def ours() -> None:
        for each in received:
            writer.encode(each.header, each.message)

    def theirs() -> None:
        for parties in fills:
            message = TheirMessage()
            message.header.set(8, "FIXT.1.1")
            for tag, value in ((35, "UMS"), (49, "KalshiPT"), (56, KEY), (34, "2"), (52, "x")):
                message.header.set(tag, value)
            for tag, value in ((20105, "r"), (55, "K"), (715, "20261016"), (20107, "yes")):
                message.set_field(tag, value)
            for _, texts in parties:
                party, change, fee = Group(), Group(), Group()
                for tag, value in texts:
                    target = change if tag in {1704, 1705} else fee if tag in _FEES else party
                    target.set_field(tag, value)
                party.add_group(1703, change)
                party.add_group(136, fee)
                message.add_group(20108, party)
            message.encode()

    return {OURS: ours, FIXCORE: theirs}


_FEES = frozenset({137, 138, 139, 891})


def _parties(message: object) -> tuple[Any, ...]:
    assert isinstance(message, MarketSettlementReport)
    return message.parties


def _texts_of(party: Any) -> list[tuple[int, str]]:
    quantity = party.long_quantity or party.short_quantity
    return [
        (20109, party.party_id), (20110, "24"), (704, str(quantity)),
        (1704, str(party.collateral_changes[0].amount)), (1705, "PAYOUT"),
        (137, str(party.fees[0].amount)), (138, "USD"), (139, "4"), (891, "0"),
    ]  # fmt: skip


def check(folder: Path) -> None:
    """Refuse to compare engines that do not agree on what a message says."""
    file = folder / "kalshi.xml"
    file.write_text(quickfix_xml(), encoding="utf-8")
    theirs = DataDictionary.from_xml(file)
    report = Codec(unit=PriceUnit.DOLLARS).decode(execution(7)).message
    other = TheirMessage.decode(execution(7), theirs)
    assert isinstance(report, ExecutionReport)
    assert str(report.last_price) == "0.08"
    assert Decimal(other[31]) == Decimal("0.08")
    assert report.fees[0].amount.units == Decimal(other.get_groups(136)[0].get_field(137)) * 10**6
    settled = Codec().decode(page(3)).message
    assert len(_parties(settled)) == len(TheirMessage.decode(page(3), theirs).get_groups(20108))


def measure(reports: int, pages: int, *, rounds: int) -> dict[str, dict[str, Timing]]:
    """Measure everything; keys are the tasks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        check(folder)
        executions = [execution(number) for number in range(reports)]
        settlements = [page(number) for number in range(pages)]
        tasks = {
            "parse ExecutionReport": parse_cases(executions, folder),
            "parse settlement page": parse_cases(settlements, folder),
            "encode NewOrderSingle": order_cases(reports),
            "encode settlement page": page_cases(settlements),
        }
        return {
            task: in_turn({case: plain(work) for case, work in cases.items()}, rounds=rounds)
            for task, cases in tasks.items()
        }


def main() -> None:
    for task, timings in measure(REPORTS, PAGES, rounds=ROUNDS).items():
        per = PAGES if "page" in task else REPORTS
        peer = PARSED if "parse" in task else FIXCORE
        words = f"{task}, {PARTIES} parties" if "page" in task else task
        show(words, timings, peer=peer, per=dict.fromkeys(timings, per), unit="message")
        ours = timings[OURS]
        for name, timing in timings.items():
            if name != OURS:
                best = min(timing.rounds) / min(ours.rounds)
                print(
                    f"trueup is {timing.median / ours.median:.2f} × {name} (best rounds {best:.2f} ×)"
                )
    if not has_quickfix():
        print("\nquickfix is not installed: `pip install quickfix` builds it in some minutes.")


if __name__ == "__main__":
    main()
