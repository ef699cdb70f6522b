from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction

import pytest
from fix_strategies import HEAD, HEADERS, framed, messages
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.errors import CallerError
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire.fix import errors as broken
from trueup.wire.fix.codec import UNKNOWN_MAX, Codec, Received
from trueup.wire.fix.frame import BODY_BYTES_MAX, Framer, checksum, close_frame, open_frame
from trueup.wire.fix.kinds import PriceUnit, read_instant
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.market_data import MarketDataIncrementalRefresh
from trueup.wire.fix.messages.orders import ExecutionReport, NewOrderSingle
from trueup.wire.fix.messages.quotes import Quote, QuoteShown
from trueup.wire.fix.messages.session import Header, Heartbeat, Logon
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.pairs import join_body, split_body
from trueup.wire.fix.reading import PLANS_MAX, SHAPE_MAX
from trueup.wire.fix.words import CollateralType, ExecType, OrderState, UpdateAction

OTHER = {Sender.CLIENT: Sender.EXCHANGE, Sender.EXCHANGE: Sender.CLIENT}
HEADER = Header(
    sender="key-1", target="KalshiNR", sequence=7, sending_time=read_instant("20261016-23:02:24")
)
TRADE = (
    f"35=8|{HEAD}37=o-1|11=c-1|17=12;3;0|150=F|39=1|54=1|55=KXA-1|151=5.00|14=5.00|6=49|38=10.00|"
    "31=49|32=5.00|44=49|60=20261016-23:02:24.046|704=5.00|705=0.00|"
    "136=1|137=0.09|138=USD|139=4|891=0|1703=1|1704=-2.45|1705=BALANCE|880=t-1|1057=Y|715=20261016|"
)
UMS = (
    f"35=UMS|{HEAD}20105=r-1|55=KXA-1|715=20261016|20106=1|20107=scalar|730=30.60|893=Y|20108=2|"
    "20109=a|20110=24|704=100.01|705=0|1703=1|1704=30.6030|1705=PAYOUT|"
    "136=1|137=0.00006|138=USD|139=4|891=0|"
    "20109=b|20110=24|704=0|705=5|1703=1|1704=3.47|1705=PAYOUT|"
    "136=1|137=0.00|138=USD|139=4|891=0|"
)


def decode(text: str, **settings: object) -> Received:
    return Codec(**settings).decode(framed(text))  # type: ignore[arg-type]


def test_execution_report_is_read_in_exact_units() -> None:
    report = decode(TRADE).message

    assert isinstance(report, ExecutionReport)
    assert report.execution_type is ExecType.TRADE
    assert report.order_status is OrderState.PARTIALLY_FILLED
    assert report.side is Side.YES
    assert report.last_price == report.price == Price.of_cents(49)
    assert report.last_quantity == Count.of_contracts(5)
    assert report.average_price == Fraction(49, 100)
    assert [fee.amount for fee in report.fees] == [Money.of_cents(9)]
    assert report.collateral_changes[0].amount == Money.of_cents(-245)
    assert report.clearing_date == date(2026, 10, 16)
    assert report.is_aggressor is True


def test_dollar_sessions_read_the_same_fields_as_dollars() -> None:
    text = (
        TRADE.replace("31=49|", "31=0.4905|").replace("44=49|", "44=0.5|").replace("6=49", "6=.49")
    )

    report = decode(text.replace("6=.49", "6=0.49"), unit=PriceUnit.DOLLARS).message

    assert isinstance(report, ExecutionReport)
    assert report.last_price == Price(4905)
    assert report.average_price == Fraction(49, 100)


def test_settlement_report_has_nested_groups_and_cents_whatever_the_session() -> None:
    for unit in PriceUnit:
        report = decode(UMS, unit=unit).message

        assert isinstance(report, MarketSettlementReport)
        assert report.settlement_price == Price(3060)
        assert report.result is MarketResult.SCALAR
        first, second = report.parties
        assert (first.long_quantity, first.short_quantity) == (Count(10001), Count(0))
        assert first.collateral_changes[0].amount == Money(30_603_000)
        assert first.collateral_changes[0].kind is CollateralType.PAYOUT
        assert first.fees[0].amount == Money(60)
        assert second.party_id == "b"


def test_long_page_is_read_like_a_short_one() -> None:
    parties = "".join(
        f"20109=p-{n}|20110=24|{'704' if n % 3 else '705'}={n}.00|1703=1|1704={n}.00|1705=PAYOUT|"
        "136=1|137=0.00|138=USD|139=4|891=0|"
        for n in range(50)
    )
    text = UMS[: UMS.index("20108=")] + f"20108=50|{parties}"

    report = decode(text).message

    assert isinstance(report, MarketSettlementReport)
    assert len(parties.split("|")) > SHAPE_MAX
    assert [party.party_id for party in report.parties] == [f"p-{n}" for n in range(50)]
    assert [party.short_quantity for party in report.parties][:4] == [
        Count(0),
        None,
        None,
        Count(300),
    ]
    with pytest.raises(broken.GroupBroken, match="announces 49 entries, 50"):
        decode(text.replace("20108=50|", "20108=49|"))
    with pytest.raises(broken.GroupBroken, match="announces 51 entries, 50"):
        decode(text.replace("20108=50|", "20108=51|"))


def test_quotes_are_cents_from_a_maker_and_dollars_to_a_creator() -> None:
    body = f"35=S|{HEAD}117=q|131=r|55=KXA-1|132=40|133=45|"

    made = decode(body, reads=Sender.CLIENT).message
    shown = decode(body.replace("=40", "=0.40").replace("=45", "=0.45")).message

    assert isinstance(made, Quote)
    assert isinstance(shown, QuoteShown)
    assert made.bid == shown.bid == Price.of_cents(40)
    assert made.offer == shown.offer == Price.of_cents(45)


def test_market_data_deletes_a_level_without_a_size() -> None:
    text = (
        f"35=X|{HEAD}268=2|279=1|55=KXA-1|269=0|270=0.4200|271=10.00|279=2|55=KXB-1|269=1|270=0.5|"
    )

    refresh = decode(text).message

    assert isinstance(refresh, MarketDataIncrementalRefresh)
    assert [entry.action for entry in refresh.entries] == [UpdateAction.CHANGE, UpdateAction.DELETE]
    assert refresh.entries[1].size is None


@pytest.mark.parametrize(
    ("text", "error", "tag"),
    [
        (UMS.replace("20108=2", "20108=3"), broken.GroupBroken, 20108),
        (UMS.replace("20108=2", "20108=1"), broken.GroupBroken, 20108),
        (UMS.replace("20108=2", "20108=0"), broken.GroupBroken, 20108),
        (UMS.replace("20108=2", "20108=02"), broken.GroupBroken, 20108),
        (UMS.replace("20108=2", "20108=two"), broken.WrongValue, 20108),
        (UMS.replace("20108=2", "20108=-2"), broken.WrongValue, 20108),
        (UMS.replace("20108=2|", ""), broken.GroupBroken, 20109),
        (UMS.replace("136=1|137=0.00006", "136=2|137=0.00006"), broken.GroupBroken, 136),
        (UMS.replace("20109=a|20110=24|", "20110=24|20109=a|"), broken.GroupBroken, 20110),
        (UMS.replace("1703=1|1704=3.47|", "1704=3.47|1703=1|"), broken.GroupBroken, 1704),
        (UMS.replace("704=100.01|", "704=100.01|704=1|"), broken.RepeatedTag, 704),
        (UMS.replace("|55=KXA-1", "|55=KXA-1|55=KXB-1"), broken.RepeatedTag, 55),
        (UMS.replace("34=7|", "34=7|34=8|"), broken.RepeatedTag, 34),
        (UMS.replace("893=Y|", "893=Y|35=8|"), broken.RepeatedTag, 35),
        (UMS.replace("893=Y|", "893=Y|10=000|"), broken.RepeatedTag, 10),
        (UMS.replace("715=20261016|", ""), broken.MissingTag, 715),
        (UMS.replace("20109=b|", "20109=|"), broken.EmptyValue, 20109),
        (UMS.replace("715=20261016", "715=20261316"), broken.WrongValue, 715),
        (UMS.replace("20107=scalar", "20107=void"), broken.WrongValue, 20107),
        (UMS.replace("730=30.60", "730=30.601"), broken.WrongValue, 730),
        (UMS.replace("730=30.60", "730=100.01"), broken.WrongValue, 730),
        (UMS.replace("730=30.60", "730=3e1"), broken.WrongValue, 730),
        (UMS.replace("704=100.01", "704=100.001"), broken.WrongValue, 704),
        (UMS.replace("1704=30.6030", "1704=30.60300001"), broken.WrongValue, 1704),
        (UMS.replace("893=Y", "893=y"), broken.WrongValue, 893),
        (TRADE.replace("150=F", "150=Z"), broken.WrongValue, 150),
        (TRADE.replace("54=1", "54=3"), broken.WrongValue, 54),
        (TRADE.replace("31=49|", "31=0.49005|"), broken.WrongValue, 31),
        (TRADE.replace("32=5.00", "32=\u0665"), broken.WrongValue, 32),
        (TRADE.replace("35=8|", "35=zz|"), broken.UnknownMessageType, 35),
        (TRADE.replace("35=8|", "35=D|"), broken.UnknownMessageType, 35),
    ],
)
def test_lies_are_refused_and_the_number_is_still_known(
    text: str, error: type[broken.Unusable], tag: int
) -> None:
    with pytest.raises(error) as raised:
        decode(text)

    assert raised.value.tag == tag
    assert raised.value.header is not None
    assert raised.value.header.sequence == 7
    assert raised.value.message_type == text[3 : text.index("|")]
    assert "KalshiNR" in raised.value.evidence


def test_message_without_its_number_has_no_header() -> None:
    with pytest.raises(broken.MissingTag) as raised:
        decode(UMS.replace("34=7|", ""))

    assert raised.value.header is None


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (framed(TRADE)[:-1], broken.Truncated),
        (framed(TRADE)[:-20], broken.Truncated),
        (framed(TRADE) + b"8", broken.WrongBodyLength),
        (framed(TRADE).replace(b"55=KXA-1", b"55=KXA-2"), broken.WrongChecksum),
        (framed(TRADE)[:-4] + b"abc\x01", broken.WrongChecksum),
        (framed(TRADE)[:-4] + "\u0663\u0663".encode()[:3] + b"\x01", broken.WrongChecksum),
        (framed(TRADE).replace(b"\x019=", b"\x019=1", 1), broken.Truncated),
        (framed(TRADE).replace(b"\x019=293", b"\x019=292", 1), broken.WrongBodyLength),
        (framed(TRADE).replace(b"\x019=", b"\x019=-", 1), broken.WrongBodyLength),
        (framed(TRADE).replace(b"\x019=", b"\x019=99999", 1), broken.OverLong),
        (framed(TRADE).replace(b"FIXT.1.1", b"FIX.4.4", 1), broken.MalformedField),
        (framed(f"34=7|35=8|{HEAD}"), broken.Garbled),
        (framed(f"35=8|{HEAD}nothing|"), broken.MalformedField),
        (framed(f"35=8|{HEAD}58|44=55=KXA|"), broken.MalformedField),
        (framed(f"35=8|{HEAD}=x|"), broken.MalformedField),
        (framed(f"35=8|{HEAD}055=x|"), broken.MalformedField),
        (framed(f"35=8|{HEAD}+55=x|"), broken.MalformedField),
        (framed(f"35=8|{HEAD}5 5=x|"), broken.MalformedField),
        (close_frame(b""), broken.Garbled),
        (b"", broken.MalformedField),
    ],
)
def test_garbled_bytes_are_refused(raw: bytes, error: type[broken.Garbled]) -> None:
    with pytest.raises(error):
        Codec().decode(raw)


def test_unknown_fields_are_kept_where_they_stand_and_counted() -> None:
    codec = Codec()
    text = UMS.replace("704=100.01|", "704=100.01|4705=2.0000000000|").replace(
        "893=Y|", "893=Y|15=x|"
    )

    received = codec.decode(framed(text))
    codec.decode(framed(text))

    assert isinstance(received.message, MarketSettlementReport)
    assert len(received.message.parties) == 2
    assert Counter(received.unknown) == Counter([("4705", "2.0000000000"), ("15", "x")])
    assert codec.unknown == {("UMS", "4705"): 2, ("UMS", "15"): 2}


def test_older_spellings_are_read() -> None:
    text = UMS.replace("20107=scalar", "20107=Yes").replace("1705=PAYOUT", "1705=2")

    report = decode(text).message

    assert isinstance(report, MarketSettlementReport)
    assert report.result is MarketResult.YES
    assert report.parties[0].collateral_changes[0].kind is CollateralType.PAYOUT


@pytest.mark.parametrize("length", ["95=12|", ""])
def test_signature_is_read_with_and_without_its_length(length: str) -> None:
    received = decode(
        f"35=A|{HEAD}98=0|108=30|{length}96=abc/defghi==|1137=9|", reads=Sender.CLIENT
    )

    assert isinstance(received.message, Logon)
    assert received.message.signature == "abc/defghi=="


@pytest.mark.parametrize("length", ["11", "13", "999999", "9999999", "-1", "x", ""])
def test_wrong_length_of_a_data_field_is_refused(length: str) -> None:
    with pytest.raises(broken.FixBroken):
        decode(f"35=A|{HEAD}98=0|108=30|95={length}|96=abc/defghi==|1137=9|", reads=Sender.CLIENT)


def test_data_field_may_hold_delimiters() -> None:
    codec, other = Codec(), Codec(reads=Sender.CLIENT)
    logon = Logon(heartbeat_seconds=30, signature="a\x0158=b\x01=")

    received = other.decode(codec.encode(HEADER, logon))

    assert received.message == logon


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"symbol": "KXA\x0144=99"}, "delimiter"),
        ({"symbol": ""}, "Symbol \\(55\\) has no value"),
        ({"price": 0.49}, "does not fit Price \\(44\\)"),
        ({"side": "buy"}, "does not fit Side \\(54\\)"),
    ],
)
def test_what_cannot_be_read_again_is_not_written(order: dict[str, object], says: str) -> None:
    good = {
        "client_order_id": "c-1",
        "quantity": Count.of_contracts(1),
        "price": Price.of_cents(49),
        "side": Side.YES,
        "symbol": "KXA-1",
    }
    message = NewOrderSingle(**{**good, **order})  # type: ignore[arg-type]

    with pytest.raises(CallerError, match=says):
        Codec().encode(HEADER, message)


def test_logon_without_a_signature_is_for_the_exchange_only() -> None:
    with pytest.raises(CallerError, match="RawData"):
        Codec().encode(HEADER, Logon(heartbeat_seconds=30))

    assert Codec(reads=Sender.CLIENT).encode(HEADER, Logon(heartbeat_seconds=30))


def test_a_side_writes_only_its_own_messages() -> None:
    report = decode(TRADE).message

    with pytest.raises(CallerError, match="not a message of this side"):
        Codec().encode(HEADER, report)


def test_order_is_written_as_documented() -> None:
    order = NewOrderSingle(
        client_order_id="c-1",
        quantity=Count.of_contracts(10),
        price=Price.of_cents(49),
        side=Side.NO,
        symbol="KXA-1",
    )

    cents = Codec().encode(HEADER, order).replace(b"\x01", b"|")
    dollars = Codec(unit=PriceUnit.DOLLARS).encode(HEADER, order).replace(b"\x01", b"|")

    assert b"|11=c-1|38=10.00|40=2|44=49|54=2|55=KXA-1|10=" in cents
    assert b"|44=0.4900|" in dollars
    assert cents.startswith(
        b"8=FIXT.1.1|9=97|35=D|49=key-1|56=KalshiNR|34=7|52=20261016-23:02:24.000|"
    )


@pytest.mark.parametrize("unit", PriceUnit)
@pytest.mark.parametrize("sender", [Sender.CLIENT, Sender.EXCHANGE])
def test_every_message_comes_back_as_it_was_sent(sender: Sender, unit: PriceUnit) -> None:
    writes, reads = Codec(reads=OTHER[sender], unit=unit), Codec(reads=sender, unit=unit)

    @settings(deadline=None)
    @given(HEADERS, messages(sender, unit))
    def check(header: Header, message: Message) -> None:
        received = reads.decode(writes.encode(header, message))

        assert received.header == header
        assert received.message == message
        assert received.unknown == ()

    check()


@settings(deadline=None)
@given(HEADERS, messages(Sender.EXCHANGE, PriceUnit.CENTS), st.data())
def test_changed_bytes_are_never_taken_for_the_message(
    header: Header, message: Message, data: st.DataObject
) -> None:
    raw = bytearray(Codec(reads=Sender.CLIENT).encode(header, message))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(broken.FixBroken):
        Codec().decode(bytes(raw))


@settings(deadline=None)
@given(HEADERS, messages(Sender.EXCHANGE, PriceUnit.CENTS), st.data())
def test_fields_moved_about_are_refused_or_all_accounted_for(
    header: Header, message: Message, data: st.DataObject
) -> None:
    """No field is lost, invented or counted into a group that does not announce it."""
    tags, values = split_body(open_frame(Codec(reads=Sender.CLIENT).encode(header, message)))
    fields = list(zip(tags, values, strict=True))
    action = data.draw(st.sampled_from(["drop", "double", "move", "alien", "count"]))
    place = data.draw(st.integers(1, len(fields) - 1))
    if action == "drop":
        del fields[place]
    elif action == "double":
        fields.insert(data.draw(st.integers(1, len(fields))), fields[place])
    elif action == "move":
        fields.insert(data.draw(st.integers(1, len(fields) - 1)), fields.pop(place))
    elif action == "alien":
        fields.insert(place, ("29999", "x"))
    else:
        tag, value = fields[place]
        fields[place] = (tag, str(int(value) + 1) if value.isascii() and value.isdigit() else value)
    raw = close_frame(join_body([tag for tag, _ in fields], [value for _, value in fields]))

    try:
        received = Codec().decode(raw)
    except broken.FixBroken:
        return

    again = Codec(reads=Sender.CLIENT).encode(received.header, received.message)
    left = Counter(split_body(open_frame(again))[0]) + Counter(tag for tag, _ in received.unknown)
    counts_of_none = Counter(tag for tag, value in fields if value == "0" and tag not in left)
    lengths = Counter(tag for tag, _ in fields if tag in {"95", "93"})
    written = Counter(tag for tag in left.elements() if tag not in {"95", "93"})
    assert written + counts_of_none + lengths == Counter(tag for tag, _ in fields)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_either_decode_or_say_why(noise: bytes) -> None:
    for raw in (noise, close_frame(noise), close_frame(b"35=8\x01" + noise + b"\x01")):
        with pytest.raises(broken.FixBroken):
            Codec().decode(raw)


@settings(deadline=None)
@given(st.binary(max_size=5000))
def test_checksum_is_the_sum_of_the_bytes(content: bytes) -> None:
    assert checksum(content) == sum(content) % 256


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 99999), st.binary(min_size=1)), min_size=1))
def test_bodies_come_back_byte_for_byte(fields: list[tuple[int, bytes]]) -> None:
    body = b"".join(
        b"%d=%b\x01" % (tag, value.replace(b"\x01", b"?"))
        for tag, value in fields
        if tag not in {93, 95}
    )

    assert join_body(*split_body(body)) == body


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([framed(TRADE), framed(UMS)]), max_size=6),
    st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
def test_framer_cuts_whatever_the_pieces(frames: list[bytes], sizes: list[int]) -> None:
    framer, stream, out = Framer(), b"".join(frames), list[bytes]()
    start = turn = 0
    while start < len(stream):
        size = sizes[turn % len(sizes)]
        framer.feed(stream[start : start + size])
        start, turn = start + size, turn + 1
        while (frame := framer.next_frame()) is not None:
            assert isinstance(frame, bytes)
            out.append(frame)

    assert out == frames
    assert framer.held == 0


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_framer_finds_messages_between_noise(noise: list[bytes], data: st.DataObject) -> None:
    """A message that follows noise is found, and the noise is reported, not lost silently."""
    pieces = [piece for piece in noise if b"8=" not in piece and not piece.endswith((b"8", b"1"))]
    stream = b"".join(piece + framed(TRADE) for piece in pieces)
    framer, found, skipped = Framer(), 0, 0
    cut = data.draw(st.integers(0, len(stream)))
    for part in (stream[:cut], stream[cut:]):
        framer.feed(part)
        while (frame := framer.next_frame()) is not None:
            found += isinstance(frame, bytes)
            skipped += isinstance(frame, broken.Garbled)

    assert found == len(pieces)
    assert bool(skipped) == any(pieces)


def test_framer_refuses_an_absurd_length_before_it_waits_for_it() -> None:
    framer = Framer()
    framer.feed(b"8=FIXT.1.1\x019=%d\x01" % (BODY_BYTES_MAX + 1))

    with pytest.raises(broken.OverLong, match="announces"):
        framer.next_frame()


def test_framer_does_not_wait_for_a_body_that_ends_elsewhere() -> None:
    """A length that lies costs its own message, not the ones after it."""
    framer = Framer()
    framer.feed(framed(TRADE).replace(b"\x019=293", b"\x019=292", 1) + framed(TRADE))

    first, second = framer.next_frame(), framer.next_frame()

    assert isinstance(first, broken.Garbled)
    assert second == framed(TRADE)


def test_shapes_that_are_remembered_are_bounded() -> None:
    codec = Codec()
    for number in range(max(UNKNOWN_MAX, PLANS_MAX * 2) + 10):
        codec.decode(framed(f"35=0|{HEAD}{30000 + number}=x|"))

    assert isinstance(codec.decode(framed(f"35=0|{HEAD}")).message, Heartbeat)
    assert len(codec.unknown) == UNKNOWN_MAX
