"""The two roads from bytes to a message: what one reads or refuses, so does the other."""

from __future__ import annotations

from typing import Any

import pytest
from fix_strategies import HEAD, HEADERS, framed, messages
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.wire.fix.codec import Codec
from trueup.wire.fix.dictionary import dictionary
from trueup.wire.fix.errors import Unusable
from trueup.wire.fix.frame import open_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.pairs import split_body
from trueup.wire.fix.reading import BlockReader, Unknown

OTHER = {Sender.CLIENT: Sender.EXCHANGE, Sender.EXCHANGE: Sender.CLIENT}
ODD = [
    "", " ", "x", "Y", "N", "0", "1", "2", "01", "-1", "1.", ".5", "0.00", "-0.00001", "1e3", "101",
    "9" * 30, "20261316", "20261016", "20261016-23:02:24.046", "24:00:00", "٣", "\udc80", "yes",
]  # fmt: skip
"""What may stand where something else belongs."""


@pytest.mark.parametrize("sender", [Sender.CLIENT, Sender.EXCHANGE])
def test_both_roads_read_and_refuse_the_same(sender: Sender) -> None:
    codec, known = Codec(reads=OTHER[sender]), dictionary(PriceUnit.CENTS)

    @settings(deadline=None)
    @given(HEADERS, messages(sender, PriceUnit.CENTS), st.data())
    def check(header: Header, message: Message, draw: st.DataObject) -> None:
        tags, values = split_body(open_frame(codec.encode(header, message)))
        del tags[0], values[0]
        for place in draw.draw(st.lists(st.integers(0, len(tags)), max_size=1)):
            tags.insert(place, "29999")
            values.insert(place, "a field that nobody knows")
        other = list(values)
        for place in draw.draw(st.lists(st.integers(0, len(tags) - 1), max_size=2)):
            other[place] = draw.draw(st.sampled_from([*ODD, *values]))
        layouts = known.header, known.by_class[type(message)], known.trailer
        plain, fast = BlockReader(layouts), BlockReader(layouts)

        # From the second time on that a shape comes it goes the fast road.
        first, second, third = (outcome(fast, tags, values) for _ in range(3))

        assert first == second == third
        assert outcome(plain, tags, other) == outcome(fast, tags, other)

    check()


def outcome(reader: BlockReader, tags: list[str], values: list[str]) -> tuple[Any, ...]:
    """What is read, or why not; any error that is not one of the promised comes through."""
    unknown: list[Unknown] = []
    try:
        return "read", reader.read(list(tags), list(values), unknown), unknown
    except Unusable as error:
        return "refused", type(error), str(error), error.tag


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("136=2|", r"NoMiscFees \(136\) announces 2 entries, 1 were found"),
        ("136=01|", r"announces 01 entries"),
        ("136=|", r"NoMiscFees \(136\) has no value"),
    ],
)
def test_count_that_lies_is_refused_however_often_its_shape_came(wrong: str, says: str) -> None:
    codec = Codec()
    text = (
        f"35=UMS|{HEAD}20105=r|55=KXA|715=20261016|20107=yes|20108=1|20109=a|20110=24|"
        "136=1|137=0.05|138=USD|139=4|891=0|"
    )
    for _ in range(3):
        codec.decode(framed(text))

    with pytest.raises(Unusable, match=says):
        codec.decode(framed(text.replace("136=1|", wrong)))
