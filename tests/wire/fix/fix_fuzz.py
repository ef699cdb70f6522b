"""What a fuzzer feeds: any bytes into codec, framer and session, and what must hold then.

A `check_…` function takes bytes and returns, or raises: an error of the machine's own, or
`AssertionError` for a lie that was accepted.  The judge of the codec is `naive`, which
knows nothing of shapes and plans: it cuts the fields apart and adds the bytes up.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fix_pair import KEY, START, Exchange, sign

from trueup.core.errors import CallerError
from trueup.core.instant import SECOND, Instant
from trueup.wire.fix.codec import Codec, Received
from trueup.wire.fix.dictionary import dictionary
from trueup.wire.fix.errors import FixBroken, Garbled, OverLong, Unusable
from trueup.wire.fix.frame import BODY_BYTES_MAX, SOH, Framer, close_frame, open_frame
from trueup.wire.fix.kinds import PriceUnit, write_instant
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.message import Block, Message, Sender
from trueup.wire.fix.messages.session import Header
from trueup.wire.fix.numbering import Sequences
from trueup.wire.fix.pairs import join_body, split_body
from trueup.wire.fix.session import Session
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, Disconnect, Output, State, Transmit

OUTPUTS_MAX: Final = 2_000
"""More outputs than this from one message would be a flood."""

_KINDS: Final = tuple(SessionKind)
_SIDES: Final = (Sender.EXCHANGE, Sender.CLIENT)
_UNITS: Final = tuple(PriceUnit)
_CODECS: Final = {(side, unit): Codec(reads=side, unit=unit) for side in _SIDES for unit in _UNITS}


# -- the codec ---------------------------------------------------------------------------------


def check_codec(given: bytes) -> None:
    """The first byte says which side reads in which unit, and whether a frame is put around."""
    if not given:
        return
    choice, rest = given[0], given[1:]
    side, unit = _SIDES[choice & 1], _UNITS[choice >> 1 & 1]
    raw = rest if choice & 4 else close_frame(rest.replace(b"|", b"\x01"))
    codec = _CODECS[side, unit]
    codec.unknown.clear()
    try:
        received = codec.decode(raw)
    except FixBroken:
        return
    assert_true(raw, received, side, unit)


def assert_true(raw: bytes, received: Received, side: Sender, unit: PriceUnit) -> None:
    """What was accepted says what its bytes say, by another road."""
    fields = naive(raw)
    told: list[str] = [tag for tag, _ in received.unknown]
    layouts = dictionary(unit)
    for layout, block in (
        (layouts.header, received.header),
        (layouts.by_class[type(received.message)], received.message),
    ):
        told += _told(layout, block)
    plain = [tag for tag, _ in fields if tag not in _OUTSIDE]
    # Every field is told once: none is lost, none is made up.  Defaults are told, too.
    assert set(plain) <= set(told) | _LENGTHS, (plain, told)
    for tag in set(plain) - _LENGTHS:
        assert plain.count(tag) <= told.count(tag), tag
    # Of what is written nothing changes in the next reading.
    other = _SIDES[1 - _SIDES.index(side)]
    try:
        again = _CODECS[other, unit].encode(received.header, received.message)
    except CallerError:
        return  # e.g. a required field of the other side: read, but not to be written
    once = msgspec.structs.replace(_CODECS[side, unit].decode(again), unknown=())
    assert once == msgspec.structs.replace(received, unknown=()), (again, raw)
    tags, values = split_body(open_frame(raw))
    assert close_frame(join_body(tags, values)) == raw


_OUTSIDE: Final = frozenset({"8", "9", "10", "35", "89"})
_LENGTHS: Final = frozenset({"95", "93"})


def naive(raw: bytes) -> list[tuple[str, str]]:
    """The fields, cut apart at every SOH; raises `AssertionError` for a frame that lies."""
    body, _, _ = raw[:-1].rpartition(b"\x01")
    assert raw.endswith(b"\x01")
    trailer = raw[len(body) + 1 :]
    assert trailer == b"10=%03d\x01" % (sum(raw[: len(body) + 1]) % 256)
    head, _, rest = raw.partition(b"\x019=")
    assert head == b"8=FIXT.1.1"
    stated, _, content = rest.partition(b"\x01")
    assert int(stated) == len(content) - len(trailer)
    text = raw.decode("utf-8", "surrogateescape")
    found: list[tuple[str, str]] = []
    for part in text.split(SOH)[:-1]:
        tag, equals, value = part.partition("=")
        if not equals or not tag.isdigit():
            found[-1] = (found[-1][0], f"{found[-1][1]}{SOH}{part}")  # inside of a data field
        else:
            found.append((tag, value))
    return found


def _told(layout: Any, block: Block) -> list[str]:
    tags: list[str] = []
    for member in layout.members:
        value = getattr(block, member.name)
        if member.entry is not None:
            if value:
                tags.append(member.tag)
            for entry in value:
                tags += _told(member.entry, entry)
            if not value:
                tags.append(member.tag)  # a count of zero is no group
        elif value is not None:
            tags.append(member.tag)
    return tags


# -- the framer --------------------------------------------------------------------------------


def check_framer(given: bytes) -> None:
    """Fed in pieces: nothing is lost, nothing is held that cannot become a message."""
    if not given:
        return
    size, rest = 1 + given[0], given[1:]
    framer, taken = Framer(), 0
    try:
        for begin in range(0, len(rest), size):
            framer.feed(rest[begin : begin + size])
            for _ in range(len(rest) + 2):
                before = framer.held
                frame = framer.next_frame()
                if frame is None:
                    break
                taken += before - framer.held
                assert before > framer.held
                if isinstance(frame, bytes):
                    assert len(frame) == before - framer.held
            else:
                raise AssertionError("the framer never comes to an end")
            assert framer.held <= BODY_BYTES_MAX + 64
    except OverLong:
        return
    assert taken + framer.held == len(rest)


# -- the session -------------------------------------------------------------------------------


def check_session(given: bytes) -> None:
    """A session that is open hears messages whose numbers and bodies the fuzzer chose."""
    if len(given) < 2:
        return
    kind = _KINDS[given[0] % len(_KINDS)]
    is_client = bool(given[0] & 8)
    session, peer, now = _open(kind, is_client=is_client)
    if session is None:
        return
    for part in given[1:].split(b"\n")[:40]:
        if len(part) < 2:
            continue
        now = Instant(now + (part[0] & 7) * 5 * SECOND)
        if part[0] & 64:
            _check(session, session.tick(now), is_client)
            continue
        number = max(0, session.sequences.next_in + (part[1] % 7) - 2)
        raw = _message(part, number, peer, now)
        if raw is None:
            continue
        before = session.sequences
        outputs = session.receive(raw, now)
        _check(session, outputs, is_client)
        assert session.sequences.next_out >= before.next_out or _was_reset(outputs)
        delivered = [each for each in outputs if isinstance(each, Deliver)]
        assert len(delivered) <= 1
        if delivered:
            assert delivered[0].received.header.sequence < session.sequences.next_in
        if session.state is State.DISCONNECTED:
            assert session.receive(raw, now) == []
            return


def _message(
    part: bytes, number: int, names: tuple[str, str], now: Instant
) -> bytes | Garbled | None:
    """A message around a body that the fuzzer chose, or its bytes as they are."""
    if not part[0] & 128:
        return close_frame(_with_head(part[2:], number, names, now, duplicate=bool(part[0] & 32)))
    framer = Framer()
    framer.feed(part[2:])
    try:
        return framer.next_frame()
    except OverLong:
        return None


def _was_reset(outputs: list[Output]) -> bool:
    return any(isinstance(each, Disconnect) for each in outputs)


def _check(session: Session, outputs: list[Output], is_client: bool) -> None:
    """What is sent can be read by the other side; after the end comes nothing."""
    assert len(outputs) <= OUTPUTS_MAX
    reads = Sender.CLIENT if is_client else Sender.EXCHANGE
    for output in outputs:
        if isinstance(output, Transmit):
            _CODECS[reads, PriceUnit.DOLLARS].decode(output.raw)
    ends = [each for each in outputs if isinstance(each, Disconnect)]
    assert len(ends) <= 1
    assert bool(ends) <= (session.state is State.DISCONNECTED)
    if ends:
        assert outputs[-1] is ends[0]


def _open(kind: SessionKind, *, is_client: bool) -> tuple[Session | None, tuple[str, str], Instant]:
    exchange = Exchange(sequences=Sequences())
    server = Session.acceptor(kind, admit=exchange.admit)
    client = Session.initiator(kind, key_id=KEY, sign=sign, options=LogonOptions())
    server.connect(START)
    for output in client.connect(START):
        if isinstance(output, Transmit):
            for answer in server.receive(output.raw, START):
                if isinstance(answer, Transmit):
                    client.receive(answer.raw, START)
    session = client if is_client else server
    names = (kind.value, KEY) if is_client else (KEY, kind.value)
    return (session if session.state is State.ESTABLISHED else None), names, START


def _with_head(
    body: bytes, number: int, names: tuple[str, str], now: Instant, *, duplicate: bool
) -> bytes:
    """A body (``8|37=…``) with a header that fits the session."""
    kind, _, rest = body.replace(b"|", b"\x01").partition(b"\x01")
    again = f"43=Y{SOH}122={write_instant(now)}{SOH}" if duplicate else ""
    head = (
        f"49={names[0]}{SOH}56={names[1]}{SOH}34={number}{SOH}52={write_instant(now)}{SOH}{again}"
    )
    return b"35=" + kind + b"\x01" + head.encode() + rest


# -- where to begin ----------------------------------------------------------------------------


def samples() -> list[bytes]:
    """Bodies of every message, as people write them (bars, from ``35=`` on)."""
    found: list[bytes] = []
    for side in _SIDES:
        for layout in dictionary(PriceUnit.CENTS).sent_by(side).values():
            found += [_sample(layout, side, whole=whole) for whole in (False, True)]
    return found


def _sample(layout: Any, side: Sender, *, whole: bool) -> bytes:
    kind = layout.block.TYPE
    body = "".join(_fields(layout, side, whole=whole))
    head = f"35={kind}|34=7|49=A|56=B|52=20261016-23:02:24.046|"
    return (head + body).encode()


def _fields(layout: Any, side: Sender, *, whole: bool) -> list[str]:
    parts: list[str] = []
    for number, member in enumerate(layout.members):
        if member.entry is not None:
            if whole:
                entry = _fields(member.entry, side, whole=True)
                parts += [f"{member.tag}=2|", *entry, *entry]
            continue
        if not whole and number and member.required_of not in {Sender.BOTH, side}:
            continue
        if member.field.length_tag:
            parts.append(f"{member.field.length_tag}=4|")
        parts.append(f"{member.tag}={_value(member)}|")
    return parts


def _value(member: Any) -> str:
    if member.kind.words:
        return next(iter(member.kind.words))
    by_kind = {
        "UTCTIMESTAMP": "20261016-23:02:24.046",
        "LOCALMKTDATE": "20261016",
        "UTCDATEONLY": "20261016",
        "UTCTIMEONLY": "23:02:24.046",
        "BOOLEAN": "Y",
        "QTY": "10.00",
        "AMT": "1.25",
        "PRICE": "1",
        "DATA": "abcd",
    }
    return by_kind.get(member.kind.fix, "1")


def seeds() -> dict[str, list[bytes]]:
    """For each check, inputs to begin with."""
    bodies = samples()
    frames = [close_frame(body.replace(b"|", b"\x01")) for body in bodies]
    heard = [
        b"\x00\x02" + body.split(b"|", 1)[0][3:] + b"|" + body.split(b".046|", 1)[1]
        for body in bodies
    ]
    return {
        "codec": [bytes([choice]) + body for body in bodies for choice in range(4)]
        + [bytes([4 | choice]) + frame for frame in frames for choice in range(2)],
        "framer": [b"\x05" + frame + b"noise" + frame for frame in frames[::4]],
        "session": [
            bytes([choice]) + b"\n".join(heard[place : place + 3])
            for choice in range(16)
            for place in range(0, len(heard), 9)
        ],
    }


CHECKS: Final = {"codec": check_codec, "framer": check_framer, "session": check_session}

__all__ = ["CHECKS", "Header", "Message", "Unusable", "samples", "seeds"]
