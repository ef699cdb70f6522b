"""Messages as hypothesis makes them: any class of the dictionary, any sensible values."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from trueup.core.instant import DAY, Instant
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire.fix import kinds as k
from trueup.wire.fix.dictionary import Layout, Member, dictionary
from trueup.wire.fix.frame import SOH, close_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.session import Header

WORDS = st.text(
    st.characters(exclude_characters=SOH, exclude_categories=("Cs",)), min_size=1, max_size=8
)
INSTANTS = st.integers(0, 80_000 * DAY).map(Instant)
DATES = st.dates(date(1970, 1, 1), date(2200, 1, 1))
_BY_KIND: dict[str, st.SearchStrategy[Any]] = {
    "BOOLEAN": st.booleans(),
    "QTY": st.integers(-(10**9), 10**9).map(Count),
    "AMT": st.integers(-(10**12), 10**12).map(Money),
    "UTCTIMESTAMP": INSTANTS,
    "LOCALMKTDATE": DATES,
    "UTCDATEONLY": DATES,
    "UTCTIMEONLY": st.integers(0, DAY - 1),
    "SEQNUM": st.integers(0, 10**9),
    "LENGTH": st.integers(0, 10**6),
    "NUMINGROUP": st.integers(0, 10**6),
}


def value_of(member: Member) -> st.SearchStrategy[Any]:
    """Values that a field can hold."""
    kind = member.kind
    if kind.words is not None:
        return st.sampled_from(list(kind.words.values()))
    if kind.is_text:
        return WORDS
    if kind.read in {k.NUMBER.read, k.INTEGER.read}:
        return st.integers(0 if kind.read is k.NUMBER.read else -(10**9), 10**9)
    if kind.fix == "PRICE":
        if member.field.name == "AvgPx":
            return st.integers(0, 10**6).map(lambda units: Ratio(units, 10**6))
        return st.integers(0, 10_000).map(Price)
    return _BY_KIND[kind.fix]


@st.composite
def blocks(draw: st.DrawFn, layout: Layout, sender: Sender) -> Any:
    """A block of a layout, with optional attributes there or not."""
    attributes: dict[str, Any] = {}
    for member in layout.members:
        if member.entry is not None:
            entries = draw(st.lists(blocks(member.entry, sender), max_size=3))
            attributes[member.name] = tuple(entries)
        elif member.required_of in {Sender.BOTH, sender} or draw(st.booleans()):
            attributes[member.name] = draw(value_of(member))
    return layout.block(**attributes)


HEADERS: st.SearchStrategy[Header] = blocks(dictionary(PriceUnit.CENTS).header, Sender.BOTH)


@st.composite
def messages(draw: st.DrawFn, sender: Sender, unit: PriceUnit) -> Message:
    """Any message that one side may send."""
    layouts = list(dictionary(unit).sent_by(sender).values())
    return draw(blocks(draw(st.sampled_from(layouts)), sender))


def framed(text: str) -> bytes:
    """A message as people write it (bars, from ``35=`` on) as bytes with length and checksum."""
    return close_frame(text.replace("|", SOH).encode("utf-8", "surrogateescape"))


HEAD = "34=7|49=KalshiNR|56=key-1|52=20261016-23:02:24.046|"
"""The header of the small examples."""
