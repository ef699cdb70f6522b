"""The two roads from a message to its bytes: what the fast one writes, the plain one writes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fix_strategies import HEADERS, blocks, messages
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.errors import CallerError
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.dictionary import dictionary
from trueup.wire.fix.frame import SOH, close_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.orders import Fee, NewOrderSingle, Party
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.writing import fast_writer, source_of, write_plainly

OTHER = {Sender.CLIENT: Sender.EXCHANGE, Sender.EXCHANGE: Sender.CLIENT}
ODD: list[Any] = [
    None, "", "x", f"a{SOH}b", "\udc80", 0, -1, True, 0.5, b"x", [], {}, Side.NO,
    Count(150), Money(7), Price(4_950), Instant(5), (), ("x",), (None,),
    (Party(party_id="p"),), [Party(party_id="p")], (Fee(amount=Money(1)),), Fee(amount=Money(1)),
]  # fmt: skip
"""What may stand where it does not belong."""
ORDER = NewOrderSingle(
    client_order_id="c-1",
    quantity=Count(100),
    price=Price.of_cents(49),
    side=Side.YES,
    symbol="KXA-1",
)


@pytest.mark.parametrize("unit", PriceUnit)
@pytest.mark.parametrize("sender", [Sender.CLIENT, Sender.EXCHANGE])
def test_both_roads_write_the_same_bytes(sender: Sender, unit: PriceUnit) -> None:
    codec, known = Codec(reads=OTHER[sender], unit=unit), dictionary(unit)

    @settings(deadline=None, max_examples=60)
    @given(HEADERS, messages(sender, unit))
    def check(header: Header, message: Message) -> None:
        plain = (
            f"35={message.TYPE}{SOH}"
            + write_plainly(known.header, Sender.BOTH, header)
            + write_plainly(known.by_class[type(message)], sender, message)
        )

        assert close_frame(plain.encode("utf-8", "surrogateescape")) == codec.encode(
            header, message
        )

    check()


@pytest.mark.parametrize("sender", [Sender.CLIENT, Sender.EXCHANGE])
def test_both_roads_refuse_the_same_in_the_same_words(sender: Sender) -> None:
    known = dictionary(PriceUnit.DOLLARS)
    layouts = [known.header, *known.sent_by(sender).values()]
    layouts += [each.entry for each in known.by_class[NewOrderSingle].groups if each.entry]

    @settings(deadline=None)
    @given(st.data())
    def check(draw: st.DataObject) -> None:
        layout = draw.draw(st.sampled_from(layouts))
        block = draw.draw(blocks(layout, sender))
        places = st.sampled_from([*layout.members, *layout.groups * 4])
        for member in draw.draw(st.lists(places, min_size=1, max_size=2)):
            odd = draw.draw(st.sampled_from(ODD))
            block = msgspec.structs.replace(block, **{member.name: odd})

        fast = fast_writer(layout, sender)

        assert outcome(lambda: write_plainly(layout, sender, block)) == outcome(lambda: fast(block))

    check()


def outcome(write: Any) -> tuple[str, str]:
    """What is written, or why it is not; any other error than the promised one comes through."""
    try:
        return "written", write()
    except CallerError as error:
        return "refused", str(error)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"parties": (Fee(amount=Money(1)),)}, "Fee stands where a Party belongs"),
        ({"parties": ("p",)}, "str stands where a Party belongs"),
        ({"parties": 7}, r"NoPartyIDs \(453\) needs a tuple of entries, not 7"),
        ({"symbol": None}, r"must have Symbol \(55\)"),
        ({"symbol": Side.YES}, r"does not fit Symbol \(55\)"),
        ({"quantity": Money(100)}, r"does not fit OrderQty \(38\)"),
        ({"quantity": 1}, r"does not fit OrderQty \(38\)"),
        ({"subaccount": True}, r"does not fit AllocAccount \(79\)"),
        ({"transact_time": "now"}, r"does not fit TransactTime \(60\)"),
    ],
)
def test_what_is_wrong_is_said_by_name(attributes: dict[str, Any], says: str) -> None:
    header = Header(sender="key-1", target="KalshiNR", sequence=7, sending_time=Instant(0))

    with pytest.raises(CallerError, match=says):
        Codec().encode(header, msgspec.structs.replace(ORDER, **attributes))


def test_only_a_header_is_written_as_one() -> None:
    not_a_header: Any = Party(party_id="p")

    with pytest.raises(CallerError, match="Party stands where a Header belongs"):
        Codec().encode(not_a_header, ORDER)


def test_source_of_a_writer_can_be_read() -> None:
    layout = dictionary(PriceUnit.DOLLARS).by_class[NewOrderSingle]

    source = source_of(layout, Sender.CLIENT)

    assert r"text += f'38={write_38(value_38.units)}\x0140={write_40(value_40)}\x01" in source
    assert "if value_59 is not None:\n            text += f'59={write_59(value_59)}" in source
