"""FIX: parse and type, and encode, against `fixcore-engine` (and `quickfix` where it is built).

All messages are invented and all different, those of a round from those of the rounds before,
so that nothing is faster for having been seen.  Making them is not timed.

Parsing checks length and checksum in every case; what it ends with differs:

- *trueup*: the typed message, amounts as exact integers, the counts of all groups checked;
- *fixcore, parsed* and *quickfix, parsed*: that engine's message with our exported dictionary,
  its values still text.  Neither notices a count of a group that lies;
- *fixcore, typed* and *quickfix, typed*: the same, and then every value read as the type it has
  (`Decimal`, `int`, `datetime`, `bool`, text), group by group, and the counts checked: for
  fixcore by comparing them here, for quickfix by its own `validate` (of the outer groups).

The peers are helped: times are cut by place and not by `strptime`, fields that are always there
are not asked for first, quickfix has its text ready where it reads text.

Encoding starts from values of the same kind, which stand ready (exact amounts and times, ours or
`Decimal` and `datetime`), and ends with bytes: for trueup a message object that is made and
encoded, for the others a message that is filled field by field.  Ours refuses what could not be
read again; the others write what they are given.  Before anything is timed, what each writes is
read by our codec and must be the same message.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from fixcore.message.data_dictionary import DataDictionary
from fixcore.message.field import Group
from fixcore.message.message import Message as TheirMessage

from benchmarks.fix_encoding import encode_cases
from benchmarks.fix_messages import (
    FIXCORE,
    OURS,
    PARTIES,
    execution,
    has_quickfix,
    page,
)
from benchmarks.measure import Case, Timing, in_turn, show
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.dictionary import Layout, dictionary
from trueup.wire.fix.export import quickfix_xml
from trueup.wire.fix.frame import close_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import ExecutionReport
from trueup.wire.fix.messages.settlement import MarketSettlementReport

REPORTS, PAGES, ROUNDS = 2_000, 60, 15
PARSED, TYPED = "fixcore, parsed", "fixcore, typed"
QUICK_PARSED, QUICK_TYPED = "quickfix, parsed", "quickfix, typed"


def _datetime(text: str) -> datetime:
    """By place: four times as fast as `strptime`."""
    if text[8] != "-" or text[11] != ":" or text[14] != ":" or text[17] != ".":
        raise ValueError(text)
    day = int(text[:4]), int(text[4:6]), int(text[6:8])
    clock = int(text[9:11]), int(text[12:14]), int(text[15:17]), int(text[18:]) * 1000
    return datetime(*day, *clock, tzinfo=UTC)


READERS: dict[str, Callable[[str], object]] = {
    "QTY": Decimal, "AMT": Decimal, "PRICE": Decimal, "INT": int, "SEQNUM": int,
    "LENGTH": int, "NUMINGROUP": int, "BOOLEAN": "Y".__eq__, "UTCTIMESTAMP": _datetime,
    "LOCALMKTDATE": date.fromisoformat,
}  # fmt: skip


def plans() -> dict[int, Callable[[str], object]]:
    """How a careful user of another engine reads each field (text stays text)."""
    found: dict[int, Callable[[str], object]] = {8: str, 9: int, 35: str}
    waiting: list[Layout] = [dictionary(PriceUnit.DOLLARS).header]
    waiting += dictionary(PriceUnit.DOLLARS).messages
    while waiting:
        layout = waiting.pop()
        for member in layout.members:
            found[member.field.tag] = READERS.get(member.kind.fix, str)
            if member.entry is not None:
                waiting.append(member.entry)
    return found


def own_fields() -> dict[str, frozenset[int]]:
    """MsgType → the fields of its body that stand in no group."""
    layouts = dictionary(PriceUnit.DOLLARS).sent_by(Sender.EXCHANGE)
    return {
        kind: frozenset(member.field.tag for member in layout.members)
        for kind, layout in layouts.items()
    }


def type_theirs(
    message: TheirMessage,
    readers: dict[int, Callable[[str], object]],
    own: dict[str, frozenset[int]],
) -> None:
    """Read every value of a parsed message as its type, and compare the counts of its groups.

    An entry that was not announced is left over in the body.
    """
    if not own[message.msg_type].issuperset(message.body):
        raise ValueError("a field of a group stands outside of it")
    for fields in (message.header, message.body):
        for tag, value in fields.items():
            readers[tag](value)
    for tag, entries in message.groups().items():
        _counted(int(message.body[tag]), entries)
        for entry in entries:
            _type_entry(entry, readers)


def _type_entry(entry: Group, readers: dict[int, Callable[[str], object]]) -> None:
    stated: dict[int, object] = {tag: readers[tag](value) for tag, value in entry.items()}
    for tag, entries in entry.nested_groups().items():
        _counted(stated[tag], entries)
        for nested in entries:
            _type_entry(nested, readers)


def _counted(stated: object, entries: Sequence[Group]) -> None:
    if stated != len(entries):
        raise ValueError(f"{stated} entries announced, {len(entries)} found")


Parse = Callable[[bytes], object]


def parsers(folder: Path) -> dict[str, Parse]:
    """Every way to parse one message that is timed.  quickfix takes text, the others bytes."""
    codec = Codec(unit=PriceUnit.DOLLARS)
    file = folder / "kalshi.xml"
    file.write_text(quickfix_xml(), encoding="utf-8")
    theirs, readers, own = DataDictionary.from_xml(file), plans(), own_fields()

    def parsed(raw: bytes) -> object:
        return TheirMessage.decode(raw, theirs)

    def typed(raw: bytes) -> None:
        type_theirs(TheirMessage.decode(raw, theirs), readers, own)

    ways: dict[str, Parse] = {OURS: codec.decode, PARSED: parsed, TYPED: typed}
    if has_quickfix():
        ways |= quickfix_parsers(file)
    return ways


def quickfix_parsers(file: Path) -> dict[str, Callable[[Any], object]]:
    """The same with the C++ engine."""
    quickfix: Any = importlib.import_module("quickfix")
    known = quickfix.DataDictionary(str(file))
    readers, entries_of = plans(), group_shapes()
    layouts = dictionary(PriceUnit.DOLLARS)
    bodies = {kind: asked_for(layout) for kind, layout in layouts.sent_by(Sender.EXCHANGE).items()}
    head = asked_for(layouts.header)

    def read_map(fields: Any, asked: Asked) -> None:
        for tag in asked.always:
            readers[tag](fields.getField(tag))
        for tag in asked.perhaps:
            if fields.isSetField(tag):
                value = readers[tag](fields.getField(tag))
                if tag in entries_of:
                    assert isinstance(value, int)
                    for number in range(1, value + 1):
                        read_map(fields.getGroupRef(number, tag), entries_of[tag])

    def parsed(text: str) -> object:
        return quickfix.Message(text, known, True)

    def typed(text: str) -> None:
        message = quickfix.Message(text, known, True)
        known.validate(message)
        header = message.getHeader()
        read_map(header, head)
        read_map(message, bodies[header.getField(35)])

    return {QUICK_PARSED: parsed, QUICK_TYPED: typed}


@dataclass(frozen=True)
class Asked:
    """The fields of a block that are always there, and those that must be asked for first."""

    always: tuple[int, ...]
    perhaps: tuple[int, ...]


def asked_for(layout: Layout) -> Asked:
    """What a user of quickfix asks a block for."""
    members = layout.members
    return Asked(
        always=tuple(each.field.tag for each in members if each.required),
        perhaps=tuple(each.field.tag for each in members if not each.required),
    )


def group_shapes() -> dict[int, Asked]:
    """Number of a group → what its entries are asked for."""
    found: dict[int, Asked] = {}
    waiting: list[Layout] = list(dictionary(PriceUnit.DOLLARS).messages)
    while waiting:
        layout = waiting.pop()
        for member in layout.groups:
            if member.entry is not None:
                found[member.field.tag] = asked_for(member.entry)
                waiting.append(member.entry)
    return found


def parse_cases(
    ways: dict[str, Parse], make: Callable[[int], bytes], count: int
) -> dict[str, Case]:
    """Each way over the same messages, other ones in every round."""

    @cache
    def batch(number: int) -> list[bytes]:
        return [make(each) for each in range(number * count, (number + 1) * count)]

    def case(name: str, parse: Callable[[Any], object]) -> Case:
        numbers = iter(range(1 << 30))

        @contextmanager
        def prepared() -> Generator[Callable[[], object]]:
            raws = batch(next(numbers))
            given: Sequence[bytes | str] = raws
            if name in {QUICK_PARSED, QUICK_TYPED}:
                given = [raw.decode() for raw in raws]

            def work() -> None:
                for raw in given:
                    parse(raw)

            yield work

        return prepared

    return {name: case(name, parse) for name, parse in ways.items()}


def check(ways: dict[str, Parse], folder: Path) -> None:
    """Refuse to compare engines that do not agree on what a message says."""
    theirs = DataDictionary.from_xml(folder / "kalshi.xml")
    report = Codec(unit=PriceUnit.DOLLARS).decode(execution(7)).message
    other = TheirMessage.decode(execution(7), theirs)
    assert isinstance(report, ExecutionReport)
    assert str(report.last_price) == "0.08"
    assert Decimal(other[31]) == Decimal("0.08")
    assert report.fees[0].amount.units == Decimal(other.get_groups(136)[0].get_field(137)) * 10**6
    settled = Codec().decode(page(3)).message
    assert isinstance(settled, MarketSettlementReport)
    assert len(settled.parties) == len(TheirMessage.decode(page(3), theirs).get_groups(20108))
    for name, raw in lies().items():
        for way in (OURS, TYPED, QUICK_TYPED):
            if way in ways:
                given: Any = raw.decode() if way == QUICK_TYPED else raw
                assert _refuses(ways[way], given), f"{way} accepts a wrong {name}"


def lies() -> dict[str, bytes]:
    """What everybody whose values are typed must refuse."""
    good = page(3)
    body = good[good.index(b"35=") : good.rindex(b"10=")]
    total = int(good[-4:-1])
    return {
        "checksum": good[:-4] + b"%03d\x01" % ((total + 1) % 256),
        "length": good.replace(b"\x01893=Y", b"\x01893=Y\x0158=more", 1),
        "count, too low": close_frame(body.replace(b"20108=50", b"20108=49")),
        "count, too high": close_frame(body.replace(b"20108=50", b"20108=51")),
    }


def _refuses(parse: Callable[[Any], object], raw: object) -> bool:
    try:
        parse(raw)
    except Exception:  # noqa: BLE001  # each engine has its own
        return True
    return False


def measure(reports: int, pages: int, *, rounds: int) -> dict[str, dict[str, Timing]]:
    """Measure everything; keys are the tasks."""
    with tempfile.TemporaryDirectory() as name:
        ways = parsers(Path(name))
        check(ways, Path(name))
        tasks = {
            "parse ExecutionReport": parse_cases(ways, execution, reports),
            "parse settlement page": parse_cases(ways, page, pages),
            **encode_cases(reports, pages),
        }
        return {task: in_turn(cases, rounds=rounds) for task, cases in tasks.items()}


def main() -> None:
    for task, timings in measure(REPORTS, PAGES, rounds=ROUNDS).items():
        per = PAGES if "page" in task else REPORTS
        peer = PARSED if "parse" in task else FIXCORE
        words = f"{task}, {PARTIES} parties" if "page" in task else task
        show(words, timings, peer=peer, per=dict.fromkeys(timings, per), unit="message")
        ours = timings[OURS]
        for name, timing in timings.items():
            if name != OURS:
                ratios = sorted(
                    theirs / own for theirs, own in zip(timing.cpu, ours.cpu, strict=True)
                )
                print(
                    f"{name} takes {median(ratios):.2f} × trueup's processor time, round by round "
                    f"({ratios[0]:.2f} … {ratios[-1]:.2f})"
                )
    if not has_quickfix():
        print("\nquickfix is not installed: `pip install quickfix` builds it in some minutes.")


if __name__ == "__main__":
    main()
