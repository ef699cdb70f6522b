"""One side of a FIX session, without a socket: bytes and instants in, outputs out.

The driver connects, feeds what it reads through a `Framer` to `receive`, calls `tick`
when `wake_at` is due, sends by `send`, and does what the outputs say, in their order:

- before it writes a `Transmit` it stores `sequences` (a number must never be used twice);
- after it has handled a `Deliver` it stores `sequences` again (so that a message is seen
  once more after a crash, never once less);
- at `Disconnect` it closes the connection and calls `disconnected`.

`Session.initiator` is a client: it signs its logon, and never sends an application message
twice.  `Session.acceptor` is the exchange's side: it judges a logon by the rules of the
exchange and asks `admit` about the signature and everything that only an exchange knows.

What numbers mean: the expected one is handled; a lower one without PossDupFlag ends the
session; a higher one is answered by a ResendRequest on the sessions that retransmit (what
comes until the gap is closed is dropped, since it will come again), and elsewhere told as
`Missed`.
"""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from trueup.core.errors import CallerError, InvariantBroken
from trueup.core.instant import SECOND, Instant
from trueup.wire.fix.admission import Admission, Admit, logon_complaint, names_complaint
from trueup.wire.fix.codec import Codec, Received
from trueup.wire.fix.errors import Garbled, Unusable
from trueup.wire.fix.keep_alive import Due, KeepAlive
from trueup.wire.fix.logon import (
    SENDING_TIME_WINDOW,
    LogonOptions,
    Sign,
    logon_text,
    logon_text_as_sent,
)
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.session import (
    Header,
    Heartbeat,
    Logon,
    Logout,
    ResendRequest,
    SequenceReset,
    TestRequest,
)
from trueup.wire.fix.numbering import (
    FROM_ONE,
    RESEND_ATTEMPTS,
    RESEND_PATIENCE,
    Gap,
    Numbering,
    Place,
    Sequences,
)
from trueup.wire.fix.rejects import RejectReason, one_line, refuse, reject, reject_unusable
from trueup.wire.fix.resend import NothingKept, SentLog, answer_to, marked_as_resent
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import (
    TRANSITIONS,
    Deliver,
    Disconnect,
    Ending,
    GapFilled,
    LoggedOn,
    Missed,
    Output,
    Skipped,
    State,
    Transmit,
    Trigger,
    Unreadable,
    ending_of,
)

LOGON_PATIENCE: Final = 10 * SECOND
LOGOUT_PATIENCE: Final = 5 * SECOND
_OTHER_NAME: Final = "Kalshi"
_NEW_SEQUENCE_TAG: Final = 36
_MILLISECOND: Final = 1000


class Session:
    """One side of one session.  See the head of this file for the driver's part."""

    def __init__(self, kind: SessionKind, *, reads: Sender, me: str) -> None:
        self.kind = kind
        self.state = State.DISCONNECTED
        self.peer = kind.value if reads is Sender.EXCHANGE else ""
        self._me, self._reads = me, reads
        self._codec = Codec(reads=reads)
        self._options, self._since = LogonOptions(), Instant(0)
        self._sign: Sign | None = None
        self._admit: Admit | None = None
        self._log: SentLog = NothingKept()
        self._is_listener = False
        self._numbering = Numbering(Sequences())
        self._alive = KeepAlive(self._options.heartbeat_seconds * SECOND)

    @classmethod
    def initiator(
        cls, kind: SessionKind, *, key_id: str, sign: Sign, options: LogonOptions,
        sequences: Sequences = FROM_ONE,
    ) -> Session:  # fmt: skip
        """A client's side.  Raises `CallerError` for options that the kind does not have."""
        options.check(kind)
        session = cls(kind, reads=Sender.EXCHANGE, me=key_id)
        session._sign, session._options = sign, options
        session._is_listener = options.is_listener
        session._numbering = Numbering(sequences)
        session._alive = KeepAlive(options.heartbeat_seconds * SECOND)
        session._codec = Codec(reads=Sender.EXCHANGE, unit=options.unit)
        return session

    @classmethod
    def acceptor(cls, kind: SessionKind, *, admit: Admit, name: str = "") -> Session:
        """The exchange's side; it calls itself `name` (the session's name by default)."""
        session = cls(kind, reads=Sender.CLIENT, me=name or kind.value)
        session._admit = admit
        return session

    @property
    def sequences(self) -> Sequences:
        """What must outlive the process."""
        return self._numbering.sequences

    @property
    def unknown_fields(self) -> dict[tuple[str, str], int]:
        """How often which field came that the dictionary does not have."""
        return dict(self._codec.unknown)

    def connect(self, now: Instant) -> list[Output]:
        """The connection stands: a client says who it is, the exchange waits for that."""
        self._since, self._numbering.gap = now, None
        self._alive.start(now)
        if self._sign is None:
            self._move(Trigger.ACCEPTED_CONNECTION)
            return []
        self._move(Trigger.CONNECTED)
        if self._options.reset or self.kind.terms.must_reset:
            self._numbering.sequences = Sequences()
        signature = self._sign(logon_text(self._header(self.sequences.next_out, now)))
        return [self._transmit(self._options.message(self.kind, signature), now)]

    def receive(self, frame: bytes | Garbled, now: Instant) -> list[Output]:
        """One message as the framer gave it."""
        if self.state is State.DISCONNECTED:
            return []
        try:
            if isinstance(frame, Garbled):
                raise frame
            received = self._codec.decode(frame)
        except Garbled as error:
            return [Skipped(error)]
        except Unusable as error:
            self._alive.heard(now)
            return self._unusable(error, now)
        self._alive.heard(now)
        if self.state is State.LOGON_AWAITED:
            return self._logon_asked(received, frame, now)
        return self._read(received, now)

    def tick(self, now: Instant) -> list[Output]:
        """Time passed: heartbeats, test requests, and the end of patience."""
        outputs: list[Output] = []
        match self.state:
            case State.DISCONNECTED:
                pass
            case State.LOGON_SENT | State.LOGON_AWAITED:
                if now - self._since >= LOGON_PATIENCE:
                    outputs.append(self._end(Ending.SILENT, "no logon came in time"))
            case State.LOGOUT_SENT:
                if now - self._since >= LOGOUT_PATIENCE:
                    outputs.append(self._end(Ending.LOGGED_OUT, "the logout was not answered"))
            case State.ESTABLISHED:
                outputs = self._keep_alive(now)
            case _:
                assert_never(self.state)
        return outputs

    @property
    def is_catching_up(self) -> bool:
        """Whether numbers are missing that were asked for."""
        return self._numbering.gap is not None

    @property
    def wake_at(self) -> Instant | None:
        """When `tick` is due; `None` while disconnected."""
        match self.state:
            case State.DISCONNECTED:
                return None
            case State.LOGON_SENT | State.LOGON_AWAITED:
                return Instant(self._since + LOGON_PATIENCE)
            case State.LOGOUT_SENT:
                return Instant(self._since + LOGOUT_PATIENCE)
            case State.ESTABLISHED:
                due, gap = self._alive.wake_at, self._numbering.gap
                return due if gap is None else min(due, Instant(gap.asked_at + RESEND_PATIENCE))

    def send(self, message: Message, now: Instant) -> list[Output]:
        """Send a message of the application; raises `CallerError` when that cannot be."""
        if self.state is not State.ESTABLISHED:
            raise CallerError(
                f"{self.kind}: nothing can be sent while the session is {self.state}",
                remedy="Wait until the session is established.",
            )
        if message.IS_ADMIN:
            raise CallerError(f"{type(message).__name__} is sent by the session itself")
        refused = self._refusal(message) if self._reads is Sender.EXCHANGE else ""
        if refused:
            raise CallerError(refused, remedy=f"{self.kind} is for {self.kind.terms.purpose}.")
        return [self._transmit(message, now)]

    def logout(self, now: Instant, text: str = "") -> list[Output]:
        """End the session in good order; the other side's answer ends the connection."""
        if self.state in {State.DISCONNECTED, State.LOGOUT_SENT}:
            return []
        if self.state is not State.ESTABLISHED:
            return [self._end(Ending.LOGGED_OUT, text)]
        self._move(Trigger.LOGOUT_SENT)
        self._since = now
        return [self._transmit(Logout(text=text or None), now)]

    def disconnected(self) -> list[Output]:
        """The connection is gone (also after a `Disconnect`)."""
        if self.state is State.DISCONNECTED:
            return []
        return [self._end(Ending.LOST, "the connection broke")]

    def _read(self, received: Received, now: Instant) -> list[Output]:
        wrong = self._wrong_names(received.header)
        if wrong:
            return self._complain(wrong, now, received.header, RejectReason.WRONG_NAME)
        reading = self._logon_answered if self.state is State.LOGON_SENT else self._in_turn
        return reading(received, now)

    def _logon_answered(self, received: Received, now: Instant) -> list[Output]:
        header, message = received.header, received.message
        if isinstance(message, Logout):
            text = message.text or "refused without a reason"
            return [self._end(ending_of(text, Ending.REFUSED), text)]
        if not isinstance(message, Logon):
            return [self._end(Ending.BROKEN, f"{type(message).__name__} came before the logon")]
        apart = abs(now - header.sending_time)
        if apart > SENDING_TIME_WINDOW:
            words = f"the exchange's clock and ours are {apart // SECOND} s apart, 30 are allowed"
            return [self._end(Ending.REFUSED, words)]
        was_reset = bool(message.reset_sequences)
        outputs: list[Output] = []
        if was_reset and not (self._options.reset or self.kind.terms.must_reset):
            words = "the exchange began to count anew"
            outputs.append(Missed(self.sequences.next_in, 0, words))
            self._numbering.sequences = Sequences(next_out=2)
        if self._numbering.place(header.sequence) is Place.BEHIND:
            return [self._end(Ending.OUT_OF_SEQUENCE, self._numbering.too_low(header.sequence))]
        self._move(Trigger.LOGGED_ON)
        return [*outputs, LoggedOn(self.peer, was_reset), *self._numbered_logon(header, now)]

    def _logon_asked(self, received: Received, raw: bytes, now: Instant) -> list[Output]:
        header, logon = received.header, received.message
        if not isinstance(logon, Logon):
            return [self._end(Ending.BROKEN, "the first message was not a logon")]
        self.peer = header.sender
        complaint = logon_complaint(self.kind, header, logon, now)
        if not complaint and self._admit is not None:
            admitted = self._admit(header, logon, logon_text_as_sent(raw))
            if isinstance(admitted, Admission):
                return self._admitted(received, logon, admitted, now)
            complaint = admitted
        return self._turned_away(complaint, Ending.REFUSED, now)

    def _admitted(
        self, received: Received, logon: Logon, admission: Admission, now: Instant
    ) -> list[Output]:
        header, was_reset = received.header, bool(logon.reset_sequences)
        self._log = admission.log
        self._numbering = Numbering(Sequences(admission.next_out, admission.next_in))
        if was_reset:
            self._log.clear()
            self._numbering = Numbering(Sequences())
        self._codec = Codec(reads=self._reads, unit=admission.unit)
        self._is_listener = bool(logon.is_listener)
        self._alive.interval = logon.heartbeat_seconds * SECOND
        if self._numbering.place(header.sequence) is Place.BEHIND:
            words = self._numbering.too_low(header.sequence)
            return self._turned_away(words, Ending.OUT_OF_SEQUENCE, now)
        self._move(Trigger.LOGGED_ON)
        answer = Logon(
            heartbeat_seconds=logon.heartbeat_seconds, reset_sequences=logon.reset_sequences
        )
        return [
            self._transmit(answer, now),
            LoggedOn(self.peer, was_reset),
            *self._numbered_logon(header, now),
        ]

    def _numbered_logon(self, header: Header, now: Instant) -> list[Output]:
        """A logon may run ahead of what was received: then the rest is asked for."""
        outputs: list[Output] = []
        if self._numbering.place(header.sequence) is Place.AHEAD:
            outputs = self._ahead(header, now)
        if self._numbering.gap is None:
            self._numbering.advance(header.sequence + 1)
        return outputs

    def _in_turn(self, received: Received, now: Instant) -> list[Output]:
        header, message = received.header, received.message
        is_late = abs(now - header.sending_time) > SENDING_TIME_WINDOW
        if is_late and self._reads is Sender.CLIENT and not header.is_possible_duplicate:
            words = "SendingTime accuracy problem"
            return self._complain(words, now, header, RejectReason.WRONG_TIME)
        if isinstance(message, SequenceReset) and not message.is_gap_fill:
            return self._plain_reset(header, message, now)
        place = self._numbering.place(header.sequence)
        if place is Place.BEHIND:
            return self._behind(header, now)
        outputs = self._ahead(header, now) if place is Place.AHEAD else []
        if self._numbering.gap is not None and place is Place.AHEAD:
            # It will come again, with what is missing before it.  Two things do not wait:
            # both sides may miss something, and both would wait for ever; and a goodbye.
            if isinstance(message, ResendRequest):
                outputs += self._resend(message, now)
            elif isinstance(message, Logout):
                outputs += self._logged_out(message, now)
            return outputs
        self._numbering.advance(header.sequence + 1)
        self._numbering.progress(now)
        return outputs + self._handle(received, now)

    def _behind(self, header: Header, now: Instant) -> list[Output]:
        if header.is_possible_duplicate:
            return []
        words = self._numbering.too_low(header.sequence)
        return self._turned_away(words, Ending.OUT_OF_SEQUENCE, now)

    def _ahead(self, header: Header, now: Instant) -> list[Output]:
        """A gap: asked for where messages are kept, told where they are not."""
        begin, gap = self._numbering.next_in, self._numbering.gap
        if not self.kind.terms.retransmits:
            self._numbering.advance(header.sequence)
            return [Missed(begin, header.sequence - 1, "this session does not send again")]
        if gap is not None:
            gap.until = max(gap.until, header.sequence)
            return []
        self._numbering.gap = Gap(header.sequence, now)
        return [self._transmit(ResendRequest(begin=begin, end=0), now)]

    def _plain_reset(self, header: Header, message: SequenceReset, now: Instant) -> list[Output]:
        begin = self._numbering.next_in
        if message.new_sequence < begin:
            return [self._wrong_number(header, "the numbers cannot go back", now)]
        if message.new_sequence == begin:
            return []
        self._numbering.advance(message.new_sequence)
        return [Missed(begin, message.new_sequence - 1, "the other side skipped these numbers")]

    def _handle(self, received: Received, now: Instant) -> list[Output]:
        outputs: list[Output] = []
        match received.message:
            case Heartbeat():
                pass
            case TestRequest(test_request_id=asked):
                outputs.append(self._transmit(Heartbeat(test_request_id=asked), now))
            case ResendRequest() as request:
                outputs = self._resend(request, now)
            case SequenceReset() as fill:
                outputs.append(self._filled(received.header, fill, now))
            case Logout() as logout:
                outputs = self._logged_out(logout, now)
            case Logon():
                outputs = self._complain(
                    "a second logon", now, received.header, RejectReason.WRONG_VALUE
                )
            case message:
                refused = self._refusal(message) if self._reads is Sender.CLIENT else ""
                outputs.append(
                    self._transmit(refuse(received.header, message, refused), now)
                    if refused
                    else Deliver(received)
                )
        return outputs

    def _filled(self, header: Header, fill: SequenceReset, now: Instant) -> Output:
        if fill.new_sequence <= header.sequence:
            return self._wrong_number(header, "a gap fill must lead forward", now)
        self._numbering.advance(fill.new_sequence)
        return GapFilled(header.sequence, fill.new_sequence - 1)

    def _resend(self, request: ResendRequest, now: Instant) -> list[Output]:
        """Send again what is kept, and fill over the rest."""
        self._alive.sent(now)
        return [
            Transmit(marked_as_resent(part, now))
            if isinstance(part, bytes)
            else self._fill(part, now)
            for part in answer_to(request, self._log, self.sequences.next_out)
        ]

    def _fill(self, numbers: range, now: Instant) -> Transmit:
        header = self._header(numbers.start, now)
        header = msgspec.structs.replace(
            header, is_possible_duplicate=True, original_sending_time=header.sending_time
        )
        fill = SequenceReset(is_gap_fill=True, new_sequence=numbers.stop)
        return Transmit(self._codec.encode(header, fill))

    def _logged_out(self, message: Logout, now: Instant) -> list[Output]:
        words = message.text or "the other side logged out"
        ending = ending_of(words, Ending.LOGGED_OUT)
        if self.state is State.LOGOUT_SENT:
            return [self._end(ending, words)]
        return [self._transmit(Logout(), now), self._end(ending, words)]

    def _unusable(self, error: Unusable, now: Instant) -> list[Output]:
        header = error.header
        if header is None:
            words = f"a message without a usable header: {error}"
            return self._turned_away(words, Ending.BROKEN, now)
        if self.state in {State.LOGON_SENT, State.LOGON_AWAITED}:
            return [self._end(Ending.BROKEN, f"the logon cannot be read: {error}")]
        place = self._numbering.place(header.sequence)
        if place is Place.BEHIND:
            return self._behind(header, now)
        outputs = self._ahead(header, now) if place is Place.AHEAD else []
        if self._numbering.gap is not None and place is Place.AHEAD:
            return outputs
        self._numbering.advance(header.sequence + 1)
        rejected = self._transmit(reject_unusable(header, error), now)
        return [*outputs, rejected, Unreadable(error)]

    def _wrong_number(self, header: Header, text: str, now: Instant) -> Transmit:
        rejected = reject(header, RejectReason.WRONG_VALUE, text, tag=_NEW_SEQUENCE_TAG)
        return self._transmit(rejected, now)

    def _complain(
        self, text: str, now: Instant, header: Header, reason: RejectReason
    ) -> list[Output]:
        """A Reject and a Logout: the other side is not who, or when, it should be."""
        rejected = self._transmit(reject(header, reason, text), now)
        return [rejected, *self._turned_away(text, Ending.BROKEN, now)]

    def _turned_away(self, text: str, ending: Ending, now: Instant) -> list[Output]:
        return [self._transmit(Logout(text=one_line(text)), now), self._end(ending, text)]

    def _refusal(self, message: Message) -> str:
        return self.kind.refusal(type(message), is_listener=self._is_listener)

    def _wrong_names(self, header: Header) -> str:
        if self._reads is Sender.EXCHANGE:
            return names_complaint(header, mine=self._me, theirs={self.peer, _OTHER_NAME})
        return names_complaint(header, mine=self.kind.value, theirs={self.peer})

    def _keep_alive(self, now: Instant) -> list[Output]:
        outputs: list[Output] = []
        gap, words = self._numbering.gap, "missed messages were never sent again"
        if gap is not None and now - gap.asked_at >= RESEND_PATIENCE:
            if gap.attempts >= RESEND_ATTEMPTS:
                return [self._end(Ending.OUT_OF_SEQUENCE, words)]
            gap.attempts, gap.asked_at = gap.attempts + 1, now
            request = ResendRequest(begin=self._numbering.next_in, end=0)
            outputs.append(self._transmit(request, now))
        due = self._alive.due(now)
        if due is Due.SILENT:
            outputs.append(self._end(Ending.SILENT, "the other side stopped answering"))
        elif due is Due.TEST:
            test = TestRequest(test_request_id=f"test-{self.sequences.next_out}")
            outputs.append(self._transmit(test, now))
            self._alive.tested(now)
        elif due is Due.HEARTBEAT:
            outputs.append(self._transmit(Heartbeat(), now))
        return outputs

    def _header(self, sequence: int, now: Instant) -> Header:
        return Header(
            sender=self._me,
            target=self.peer,
            sequence=sequence,
            sending_time=Instant(now - now % _MILLISECOND),
        )

    def _transmit(self, message: Message, now: Instant) -> Transmit:
        sequence = self._numbering.take()
        raw = self._codec.encode(self._header(sequence, now), message)
        if not message.IS_ADMIN:
            self._log.put(sequence, raw, now)
        self._alive.sent(now)
        return Transmit(raw)

    def _end(self, ending: Ending, text: str) -> Disconnect:
        self._move(Trigger.ENDED)
        return Disconnect(ending, text)

    def _move(self, trigger: Trigger) -> None:
        following = TRANSITIONS.get((self.state, trigger))
        if following is None:
            raise InvariantBroken(f"a session that is {self.state} cannot be {trigger}")
        self.state = following
