from __future__ import annotations

from itertools import product

import pytest
from fix_pair import KEY, START, Exchange, Pair, everything, nothing, report, sign
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.errors import CallerError
from trueup.core.instant import DAY, HOUR, SECOND, Instant
from trueup.core.order_entry import REQUEST_LIFETIME
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.run.fix.road import HEARTBEAT_SECONDS
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.frame import close_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.logon import LogonOptions, logon_text
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.orders import NewOrderSingle
from trueup.wire.fix.messages.session import (
    BusinessMessageReject,
    Header,
    Heartbeat,
    Logon,
    Logout,
    Reject,
    ResendRequest,
    SequenceReset,
)
from trueup.wire.fix.messages.session import TestRequest as AliveTest
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.numbering import Sequences
from trueup.wire.fix.pairs import join_body
from trueup.wire.fix.resend import MemoryLog
from trueup.wire.fix.session import Session
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import (
    TRANSITIONS,
    Disconnect,
    Ending,
    GapFilled,
    LoggedOn,
    Missed,
    Skipped,
    State,
    Transmit,
    Trigger,
    Unreadable,
)

ORDER = NewOrderSingle(
    client_order_id="c-1",
    quantity=Count.of_contracts(1),
    price=Price.of_cents(40),
    side=Side.YES,
    symbol="KXA-1",
)
DOLLARS = Codec(unit=PriceUnit.DOLLARS)
RETRANSMITS = [kind for kind in SessionKind if kind.terms.retransmits]
RESETS = [kind for kind in SessionKind if kind.terms.must_reset]


def from_exchange(message: Message, sequence: int, *, pair: Pair, **header: object) -> bytes:
    """A message as the exchange could have sent it."""
    full = Header(
        sender=pair.kind.value,
        target=KEY,
        sequence=sequence,
        sending_time=pair.now,
        **header,  # type: ignore[arg-type]
    )
    return Codec(reads=Sender.CLIENT).encode(full, message)


def sent(pair: Pair, kind: type[Message], by: Sender) -> list[tuple[Header, Message]]:
    """What one side put on the wire, of one type."""
    codec = Codec(reads=by)
    name = KEY if by is Sender.CLIENT else pair.kind.value
    found: list[tuple[Header, Message]] = []
    for raw in pair.wire:
        if f"\x0149={name}\x01".encode() in raw and f"\x0135={kind.TYPE}\x01".encode() in raw:
            received = codec.decode(raw)
            found.append((received.header, received.message))
    return found


def test_lifecycle_is_the_table_and_nothing_else() -> None:
    reachable = set(TRANSITIONS.values())

    assert reachable == set(State)
    for state, trigger in product(State, Trigger):
        can_end = trigger is Trigger.ENDED and state is not State.DISCONNECTED
        assert ((state, trigger) in TRANSITIONS) >= can_end


def test_signed_text_is_the_documented_one() -> None:
    header = Header(sender=KEY, target="KalshiPT", sequence=12, sending_time=START)

    assert logon_text(header) == (
        b"20261016-12:00:00.000\x01A\x0112\x01" + KEY.encode() + b"\x01KalshiPT"
    )


@pytest.mark.parametrize("kind", SessionKind)
def test_session_opens_and_closes(kind: SessionKind) -> None:
    pair = Pair(kind)

    pair.connect()

    assert pair.is_up
    header, logon, text = pair.exchange.seen[0]
    assert logon.signature == sign(text)
    assert bool(logon.reset_sequences) is kind.terms.must_reset
    assert header.sequence == 1
    assert LoggedOn(kind.value, kind.terms.must_reset) in pair.client_saw

    pair.logout()

    assert pair.client.state is pair.server.state is State.DISCONNECTED
    assert [each.ending for each in pair.endings] == [Ending.LOGGED_OUT]


def test_every_attempt_is_signed_anew() -> None:
    pair = Pair(SessionKind.RT)
    pair.connect()
    pair.cut()
    pair.now = Instant(pair.now + SECOND)

    pair.connect()

    first, second = pair.exchange.seen
    assert first[2] != second[2]
    assert second[0].sequence == 2
    assert pair.is_up


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        (SessionKind.NR, {"reset_sequences": None}, "ResetSeqNumFlag is required on KalshiNR"),
        (SessionKind.PT, {"encryption": "1"}, "EncryptMethod"),
        (SessionKind.PT, {"heartbeat_seconds": 3}, "HeartBtInt must be greater than 3"),
        (SessionKind.PT, {"default_application_version": "7"}, "DefaultApplVerID"),
        (SessionKind.PT, {"signature": "forged"}, "signature error"),
        (SessionKind.PT, {"is_listener": True}, "ListenerSession is not available"),
        (SessionKind.RT, {"is_listener": True}, "SkipPendingExecReports must be Y"),
        (
            SessionKind.RT,
            {"is_listener": True, "cancel_orders_on_disconnect": True},
            "CancelOrdersOnDisconnect must be N",
        ),
    ],
)
def test_exchange_refuses_a_wrong_logon_in_words(
    kind: SessionKind, change: dict[str, object], says: str
) -> None:
    exchange = Exchange()
    server = Session.acceptor(kind, admit=exchange.admit)
    server.connect(START)
    header = Header(sender=KEY, target=kind.value, sequence=1, sending_time=START)
    fields = {"heartbeat_seconds": 30, "signature": sign(logon_text(header)), **change}
    if kind.terms.must_reset:
        fields.setdefault("reset_sequences", True)

    outputs = server.receive(Codec().encode(header, Logon(**fields)), START)  # type: ignore[arg-type]

    match outputs:
        case [Transmit(raw), Disconnect(Ending.REFUSED, text)]:
            logout = Codec().decode(raw).message
            assert isinstance(logout, Logout)
            assert says in (logout.text or "")
            assert text == logout.text
        case _:
            raise AssertionError(outputs)


def test_signature_covers_the_characters_that_were_sent() -> None:
    """Another engine may leave out the milliseconds: its signature is over what it wrote."""
    exchange = Exchange()
    server = Session.acceptor(SessionKind.PT, admit=exchange.admit)
    server.connect(START)
    text = f"20261016-12:00:00\x01A\x01001\x01{KEY}\x01KalshiPT".encode()
    tags = ["35", "34", "49", "56", "52", "98", "108", "96", "1137"]
    values = ["A", "001", KEY, "KalshiPT", "20261016-12:00:00", "0", "30", sign(text), "9"]

    outputs = server.receive(close_frame(join_body(tags, values)), START)

    assert exchange.seen[0][2] == text
    assert LoggedOn(KEY, was_reset=False) in outputs


@pytest.mark.parametrize("seconds", [-31, 31])
def test_clock_that_is_off_is_refused(seconds: int) -> None:
    pair = Pair()
    pair.skew = seconds * SECOND

    pair.connect()

    assert pair.endings[0].ending is Ending.REFUSED
    assert "30 seconds" in pair.endings[0].text


@pytest.mark.parametrize(
    "words", ["already exists", "API usage level is not allowed for FIX", "rate limit exceeded"]
)
def test_refusal_reaches_the_client_in_the_exchanges_words(words: str) -> None:
    pair = Pair()
    pair.exchange.refuses = words

    pair.connect()

    assert [(each.ending, each.text) for each in pair.endings] == [(Ending.REFUSED, words)]


def test_quiet_session_lives_on_heartbeats() -> None:
    pair = Pair()
    pair.connect()

    pair.wait(3600)

    assert pair.is_up
    assert len(sent(pair, Heartbeat, Sender.CLIENT)) in range(110, 125)
    assert len(sent(pair, Heartbeat, Sender.EXCHANGE)) in range(110, 125)


def test_peer_that_stops_answering_is_tested_and_then_left() -> None:
    pair = Pair()
    pair.connect()
    pair.loses = lambda raw: f"\x0149={pair.kind.value}\x01".encode() in raw
    started = pair.now

    pair.wait(120)

    assert [each.ending for each in pair.endings] == [Ending.SILENT]
    assert len(sent(pair, AliveTest, Sender.CLIENT)) == 1
    assert started + 60 * SECOND < pair.now


@pytest.mark.parametrize("kind", [SessionKind.NR, SessionKind.RT])
@pytest.mark.parametrize(
    ("held_for", "is_placed"), [(3, True), (REQUEST_LIFETIME // SECOND, False)]
)
def test_an_order_that_a_balancer_held_back_is_dead_before_its_absence_counts(
    kind: SessionKind, held_for: int, *, is_placed: bool
) -> None:
    """The client has broken off, but what it wrote stands in a balancer before the exchange."""
    options = LogonOptions(heartbeat_seconds=HEARTBEAT_SECONDS, reset=True)
    pair, held = Pair(kind, options=options), list[bytes]()

    def hold(raw: bytes) -> bool:
        held.append(raw)
        return True

    pair.connect()
    pair.loses = hold
    pair.order(ORDER)
    pair.wait(held_for)
    for raw in [each for each in held if b"\x0149=" + KEY.encode() in each]:
        pair.to_server(raw)

    assert [type(each.message) for each in pair.orders] == [NewOrderSingle] * is_placed


def test_logon_that_is_never_answered_ends() -> None:
    pair = Pair()
    pair.loses = everything

    pair.connect()
    pair.wait(11)

    assert [each.ending for each in pair.endings] == [Ending.SILENT]


@pytest.mark.parametrize("kind", RETRANSMITS)
def test_reports_missed_while_away_come_when_back(kind: SessionKind) -> None:
    pair = Pair(kind)
    pair.connect()
    pair.publish(report(1))
    pair.loses = lambda raw: b"35=UMS" in raw
    pair.publish(report(2))
    pair.publish(report(3))
    pair.cut()
    pair.loses = nothing
    pair.restart_client()
    pair.now = Instant(pair.now + HOUR)

    pair.connect()
    pair.publish(report(4))

    assert pair.symbols == ["KXA-1", "KXA-2", "KXA-3", "KXA-4"]
    resent = [each.header for each in pair.delivered if each.header.is_possible_duplicate]
    assert [header.original_sending_time for header in resent] == [START, START]
    assert not any(isinstance(each, Missed) for each in pair.client_saw)


def test_gap_in_mid_stream_is_closed_and_order_is_kept() -> None:
    pair = Pair()
    pair.connect()
    pair.loses = lambda raw: b"55=KXA-2\x01" in raw and b"43=Y" not in raw
    for number in range(1, 6):
        pair.publish(report(number))

    assert pair.symbols == ["KXA-1", "KXA-2", "KXA-3", "KXA-4", "KXA-5"]
    assert len(sent(pair, ResendRequest, Sender.CLIENT)) == 1


@pytest.mark.parametrize("kind", [kind for kind in RESETS if kind is SessionKind.NR])
def test_gap_without_retransmission_is_told(kind: SessionKind) -> None:
    pair = Pair(kind)
    pair.connect()
    pair.loses = lambda raw: b"55=KXA-2\x01" in raw

    for number in range(1, 4):
        pair.publish(report(number))

    assert pair.symbols == ["KXA-1", "KXA-3"]
    assert Missed(3, 3, "this session does not send again") in pair.client_saw
    assert sent(pair, ResendRequest, Sender.CLIENT) == []


def test_what_is_no_longer_kept_is_filled_over_and_said() -> None:
    pair = Pair()
    pair.connect()
    pair.loses = lambda raw: b"35=UMS" in raw
    pair.publish(report(1))
    pair.now = Instant(pair.now + DAY + HOUR)
    pair.publish(report(2))
    pair.loses = nothing

    pair.publish(report(3))

    assert pair.symbols == ["KXA-2", "KXA-3"]
    assert GapFilled(2, 2) in pair.client_saw


def test_orders_are_never_sent_again() -> None:
    pair = Pair(SessionKind.RT)
    pair.connect()
    pair.loses = lambda raw: b"35=D" in raw
    pair.order(ORDER)
    pair.loses = nothing

    pair.wait(31)

    assert pair.orders == []
    fills = sent(pair, SequenceReset, Sender.CLIENT)
    assert [(header.sequence, fill) for header, fill in fills] == [
        (2, SequenceReset(is_gap_fill=True, new_sequence=4))
    ]
    assert pair.is_up
    pair.order(ORDER)
    assert [each.message for each in pair.orders] == [ORDER]


def test_gap_that_is_never_closed_ends_the_session() -> None:
    pair = Pair()
    pair.connect()
    pair.loses = lambda raw: b"35=UMS" in raw or b"35=4" in raw
    pair.publish(report(1))
    pair.loses = lambda raw: b"43=Y" in raw
    pair.publish(report(2))

    pair.wait(300)

    assert [each.ending for each in pair.endings] == [Ending.OUT_OF_SEQUENCE]
    assert len(sent(pair, ResendRequest, Sender.CLIENT)) == 3


def test_number_too_low_ends_the_session_unless_it_is_a_duplicate() -> None:
    pair = Pair()
    pair.connect()
    pair.publish(report(1))

    pair.to_client(
        from_exchange(
            report(1), 2, pair=pair, is_possible_duplicate=True, original_sending_time=START
        )
    )
    assert pair.is_up
    assert pair.symbols == ["KXA-1"]

    pair.to_client(from_exchange(report(9), 2, pair=pair))
    assert pair.symbols == ["KXA-1"]
    assert pair.endings[-1].ending is Ending.OUT_OF_SEQUENCE
    assert "expecting 3 but received 2" in pair.endings[-1].text


def test_lost_store_is_noticed_by_the_exchange() -> None:
    """A client that starts from 1 where the exchange expects more is turned away."""
    pair = Pair()
    pair.connect()
    pair.wait(300)
    pair.cut()
    pair.client = Session.initiator(
        SessionKind.PT, key_id=KEY, sign=sign, options=pair.options, sequences=Sequences()
    )

    pair.connect()

    assert pair.endings[-1].ending is Ending.OUT_OF_SEQUENCE
    assert "MsgSeqNum too low" in pair.endings[-1].text


def test_reset_on_request_throws_away_what_was_missed() -> None:
    pair = Pair(options=LogonOptions(reset=True))
    pair.connect()
    pair.loses = lambda raw: b"35=UMS" in raw
    pair.publish(report(1))
    pair.cut()
    pair.loses = nothing

    pair.connect()
    pair.publish(report(2))

    assert pair.symbols == ["KXA-2"]
    assert LoggedOn("KalshiPT", was_reset=True) in pair.client_saw


def test_reset_nobody_asked_for_is_told() -> None:
    pair = Pair()
    pair.client = Session.initiator(
        SessionKind.PT, key_id=KEY, sign=sign, options=LogonOptions(),
        sequences=Sequences(next_out=40, next_in=30),
    )  # fmt: skip
    pair.client.connect(pair.now)

    pair.to_client(from_exchange(Logon(heartbeat_seconds=30, reset_sequences=True), 1, pair=pair))

    assert Missed(30, 0, "the exchange began to count anew") in pair.client_saw
    assert pair.client.sequences == Sequences(next_out=2, next_in=2)


def test_plain_sequence_reset_forward_is_told_and_backward_is_refused() -> None:
    pair = Pair()
    pair.connect()

    pair.to_client(from_exchange(SequenceReset(new_sequence=1), 2, pair=pair))
    assert isinstance(sent(pair, Reject, Sender.CLIENT)[0][1], Reject)
    assert pair.client.sequences.next_in == 2

    pair.to_client(from_exchange(SequenceReset(new_sequence=10), 2, pair=pair))
    assert Missed(2, 9, "the other side skipped these numbers") in pair.client_saw
    assert pair.client.sequences.next_in == 10


def test_gap_fill_must_lead_forward() -> None:
    pair = Pair()
    pair.connect()

    pair.to_client(from_exchange(SequenceReset(is_gap_fill=True, new_sequence=2), 2, pair=pair))

    rejected = sent(pair, Reject, Sender.CLIENT)[0][1]
    assert isinstance(rejected, Reject)
    assert (rejected.refused_sequence, rejected.refused_tag) == (2, 36)


def test_unreadable_message_is_answered_kept_and_counted() -> None:
    pair = Pair()
    pair.connect()
    raw = from_exchange(report(1), 2, pair=pair).replace(b"20107=yes", b"20107=odd")
    body = raw[raw.index(b"35=") : raw.index(b"\x0110=") + 1]

    pair.to_client(close_frame(body))
    pair.to_client(from_exchange(report(2), 3, pair=pair))

    (unreadable,) = [each for each in pair.client_saw if isinstance(each, Unreadable)]
    assert unreadable.error.raw == close_frame(body)
    rejected = sent(pair, Reject, Sender.CLIENT)[0][1]
    assert isinstance(rejected, Reject)
    assert (rejected.refused_sequence, rejected.refused_tag, rejected.reason) == (2, 20107, "5")
    assert pair.symbols == ["KXA-2"]


def test_unknown_message_type_is_refused_and_the_session_goes_on() -> None:
    pair = Pair()
    pair.connect()
    tags = ["35", "49", "56", "34", "52", "55"]
    values = ["ZZ", "KalshiPT", KEY, "2", "20261016-12:00:00.000", "KXA"]

    pair.to_client(close_frame(join_body(tags, values)))

    rejected = sent(pair, Reject, Sender.CLIENT)[0][1]
    assert isinstance(rejected, Reject)
    assert (rejected.reason, rejected.refused_type) == ("11", "ZZ")
    assert pair.is_up


def test_garbled_message_is_skipped_and_comes_again() -> None:
    pair = Pair()
    pair.connect()
    raw = from_exchange(report(1), 2, pair=pair)

    pair.to_client(raw.replace(b"KXA-1", b"KXA-7"))
    assert isinstance(pair.client_saw[-1], Skipped)
    assert pair.symbols == []
    assert pair.client.sequences.next_in == 2


@pytest.mark.parametrize("field", ["sender", "target"])
def test_message_of_another_session_ends_this_one(field: str) -> None:
    pair = Pair()
    pair.connect()
    names = {"sender": "KalshiPT", "target": KEY, field: "somebody"}
    header = Header(
        sender=names["sender"], target=names["target"], sequence=2, sending_time=pair.now
    )

    pair.to_client(Codec(reads=Sender.CLIENT).encode(header, report(1)))

    assert pair.symbols == []
    assert pair.endings[-1].ending is Ending.BROKEN
    assert "somebody" in pair.endings[-1].text


def test_exchange_may_call_itself_by_its_own_name() -> None:
    pair = Pair()
    pair.connect()
    header = Header(sender="Kalshi", target=KEY, sequence=2, sending_time=pair.now)

    pair.to_client(Codec(reads=Sender.CLIENT).encode(header, report(1)))

    assert pair.symbols == ["KXA-1"]


def test_exchange_refuses_a_stale_message() -> None:
    pair = Pair(SessionKind.RT)
    pair.connect()
    header = Header(
        sender=KEY, target="KalshiRT", sequence=2, sending_time=Instant(pair.now - 31 * SECOND)
    )

    pair.to_server(DOLLARS.encode(header, ORDER))

    assert pair.orders == []
    assert "SendingTime accuracy problem" in pair.endings[-1].text


@pytest.mark.parametrize("kind", [SessionKind.PT, SessionKind.DC, SessionKind.MD, SessionKind.RFQ])
def test_order_on_a_session_without_order_entry_stays_at_home(kind: SessionKind) -> None:
    pair = Pair(kind)
    pair.connect()

    with pytest.raises(CallerError, match="NewOrderSingle is not taken"):
        pair.order(ORDER)
    pair.to_server(
        DOLLARS.encode(
            Header(sender=KEY, target=kind.value, sequence=2, sending_time=pair.now), ORDER
        )
    )

    assert pair.orders == []
    assert isinstance(pair.delivered[-1].message, BusinessMessageReject)
    assert pair.is_up


def test_listener_hears_and_sends_nothing() -> None:
    pair = Pair(SessionKind.RT, options=LogonOptions(is_listener=True))
    pair.connect()

    assert pair.exchange.seen[0][1].is_listener is True
    assert pair.exchange.seen[0][1].skip_pending_reports is True
    assert pair.exchange.seen[0][1].cancel_orders_on_disconnect is False
    with pytest.raises(CallerError, match="listener"):
        pair.order(ORDER)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (SessionKind.PT, LogonOptions(is_listener=True)),
        (SessionKind.RT, LogonOptions(is_listener=True, cancel_orders_on_disconnect=True)),
        (SessionKind.MD, LogonOptions(receive_settlement_reports=True)),
        (SessionKind.NR, LogonOptions(retention_hours=24)),
        (SessionKind.PT, LogonOptions(retention_hours=73)),
        (SessionKind.PT, LogonOptions(heartbeat_seconds=3)),
    ],
)
def test_options_that_a_session_does_not_have_are_refused(
    kind: SessionKind, options: LogonOptions
) -> None:
    with pytest.raises(CallerError):
        Session.initiator(kind, key_id=KEY, sign=sign, options=options)


def test_nothing_is_sent_before_the_logon() -> None:
    pair = Pair(SessionKind.RT)

    with pytest.raises(CallerError, match="disconnected"):
        pair.order(ORDER)


def test_first_message_that_is_no_logon_gets_no_answer() -> None:
    server = Session.acceptor(SessionKind.RT, admit=Exchange().admit)
    server.connect(START)
    header = Header(sender=KEY, target="KalshiRT", sequence=1, sending_time=START)

    outputs = server.receive(DOLLARS.encode(header, ORDER), START)

    assert outputs == [Disconnect(Ending.BROKEN, "the first message was not a logon")]


def test_kept_messages_are_bounded() -> None:
    log = MemoryLog(DAY, messages_max=10)
    for number in range(100):
        log.put(number, b"x", START)

    assert [number for number in range(100) if log.get(number)] == list(range(90, 100))


def come_back(pair: Pair) -> None:
    pair.cut()
    pair.now = Instant(pair.now + SECOND)
    pair.connect()


def trouble(pair: Pair, what: str, number: int) -> None:
    """One thing that may happen to a session."""
    match what:
        case "publish":
            if pair.server.state is State.ESTABLISHED:
                pair.published += 1
                pair.publish(report(pair.published))
        case "lossy":
            pair.loses = lambda raw: raw[-2] % 3 == number % 3
        case "calm":
            pair.loses = nothing
        case "cut":
            come_back(pair)
        case "restart":
            pair.cut()
            pair.restart_client()
            come_back(pair)
        case _:
            pair.wait(number)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["publish", "publish", "lossy", "calm", "cut", "restart", "wait"]),
            st.integers(1, 100),
        ),
        max_size=25,
    )
)
def test_whatever_the_line_loses_every_report_is_delivered_once_in_order(
    script: list[tuple[str, int]],
) -> None:
    """On a session that retransmits: losses, cuts, restarts, pauses; then a calm line."""
    pair = Pair()
    pair.connect()
    for what, number in script:
        trouble(pair, what, number)
    pair.loses = nothing
    for _ in range(4):
        pair.wait(200)
        if not pair.is_up:
            come_back(pair)

    assert pair.is_up
    assert pair.symbols == [f"KXA-{number}" for number in range(1, pair.published + 1)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["report", "heartbeat", "test", "resend", "fill", "reset", "noise", "logon"]
            ),
            st.integers(0, 12),
            st.integers(0, 12),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_whatever_the_exchange_sends_the_machine_stays_sound(
    script: list[tuple[str, int, int, bool]],
) -> None:
    """No exception, no report out of order, at most one message sent per message received."""
    pair = Pair()
    pair.client.connect(pair.now)
    pair.to_client(from_exchange(Logon(heartbeat_seconds=30), 1, pair=pair))
    for word, sequence, number, duplicate in script:
        before = pair.client.sequences
        message: Message = {
            "report": report(sequence),
            "heartbeat": Heartbeat(),
            "test": AliveTest(test_request_id="x"),
            "resend": ResendRequest(begin=number, end=sequence),
            "fill": SequenceReset(is_gap_fill=True, new_sequence=number),
            "reset": SequenceReset(new_sequence=number),
            "noise": Logout(),
            "logon": Logon(heartbeat_seconds=30),
        }[word]
        raw = from_exchange(
            message, sequence, pair=pair, is_possible_duplicate=duplicate or None,
            original_sending_time=pair.now if duplicate else None,
        )  # fmt: skip
        if word == "noise":
            raw = raw[:-8] + b"x" + raw[-7:]
        sends = len(pair.wire)
        pair.to_client(raw)
        assert len(pair.wire) - sends <= 3
        assert pair.client.sequences.next_in >= before.next_in
        assert pair.client.sequences.next_out >= before.next_out

    numbers = [
        each.header.sequence for each in pair.delivered
        if isinstance(each.message, MarketSettlementReport)
    ]  # fmt: skip
    assert numbers == sorted(set(numbers))
