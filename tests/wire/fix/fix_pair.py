"""A client's session and the exchange's, face to face, with time and line in our hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from trueup.core.instant import DAY, SECOND, Instant
from trueup.core.market import MarketResult
from trueup.core.units import Price
from trueup.wire.fix.admission import Admission
from trueup.wire.fix.codec import Received
from trueup.wire.fix.frame import Framer
from trueup.wire.fix.kinds import PriceUnit, read_instant
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.session import Header, Logon
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.numbering import Sequences
from trueup.wire.fix.resend import MemoryLog
from trueup.wire.fix.session import Session
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, Disconnect, Output, State, Transmit

KEY = "11111111-2222-3333-4444-555555555555"
START = read_instant("20261016-12:00:00")


def sign(text: bytes) -> str:
    """No signature, but bound to its text like one."""
    return "signed:" + text.decode().replace("\x01", "/")


def report(number: int) -> MarketSettlementReport:
    """A settlement report that can be told from others."""
    return MarketSettlementReport(
        report_id=f"r-{number}",
        symbol=f"KXA-{number}",
        clearing_date=date(2026, 10, 16),
        result=MarketResult.YES,
        settlement_price=Price(10_000),
    )


@dataclass
class Exchange:
    """What the exchange remembers of one client between connections."""

    log: MemoryLog = field(default_factory=lambda: MemoryLog(DAY))
    sequences: Sequences = field(default_factory=Sequences)
    refuses: str = ""
    seen: list[tuple[Header, Logon, bytes]] = field(
        default_factory=list[tuple[Header, Logon, bytes]]
    )

    def admit(self, header: Header, logon: Logon, text: bytes) -> Admission | str:
        self.seen.append((header, logon, text))
        if logon.signature != sign(text):
            return "signature error"
        if self.refuses:
            return self.refuses
        return Admission(
            log=self.log,
            unit=PriceUnit.DOLLARS if logon.use_dollars else PriceUnit.CENTS,
            next_out=self.sequences.next_out,
            next_in=self.sequences.next_in,
        )


def nothing(raw: bytes) -> bool:
    """A calm line loses nothing."""
    del raw
    return False


def everything(raw: bytes) -> bool:
    """A dead line loses everything."""
    del raw
    return True


class Pair:
    """Both sides and a line that can be cut or made to lose messages."""

    def __init__(
        self, kind: SessionKind = SessionKind.PT, *, options: LogonOptions | None = None
    ) -> None:
        self.kind = kind
        self.now = START
        self.skew = 0
        self.exchange = Exchange()
        self.options = options or LogonOptions()
        self.client = self._new_client(Sequences())
        self.server = Session.acceptor(kind, admit=self.exchange.admit)
        self.client_saw: list[Output] = []
        self.server_saw: list[Output] = []
        self.wire: list[bytes] = []
        self.published = 0
        self.loses: Callable[[bytes], bool] = nothing

    def _new_client(self, sequences: Sequences) -> Session:
        return Session.initiator(
            self.kind, key_id=KEY, sign=sign, options=self.options, sequences=sequences
        )

    def connect(self) -> None:
        """A new connection; the exchange's machine is new, the client's may be too."""
        self.server = Session.acceptor(self.kind, admit=self.exchange.admit)
        self._server(self.server.connect(self._exchange_now()))
        self._client(self.client.connect(self.now))

    def restart_client(self) -> None:
        """The client's process dies and starts again from what it stored."""
        self.client = self._new_client(self.client.sequences)

    def cut(self) -> None:
        """The line breaks."""
        self._client(self.client.disconnected())
        self._server(self.server.disconnected())

    def publish(self, message: Message) -> None:
        """The exchange sends."""
        self._server(self.server.send(message, self._exchange_now()))

    def order(self, message: Message) -> None:
        """The client sends."""
        self._client(self.client.send(message, self.now))

    def logout(self) -> None:
        self._client(self.client.logout(self.now))

    def to_client(self, raw: bytes) -> None:
        framer = Framer()
        framer.feed(raw)
        while (frame := framer.next_frame()) is not None:
            self._client(self.client.receive(frame, self.now))

    def to_server(self, raw: bytes) -> None:
        framer = Framer()
        framer.feed(raw)
        while (frame := framer.next_frame()) is not None:
            self._server(self.server.receive(frame, self._exchange_now()))

    def wait(self, seconds: int) -> None:
        """Time passes; both machines are woken when they asked for it."""
        end = self.now + seconds * SECOND
        for _ in range(10_000):
            due = [
                at
                for at in (self.client.wake_at, self.server.wake_at)
                if at is not None and at <= end
            ]
            if not due:
                break
            self.now = Instant(max(self.now, min(due)))
            self._client(self.client.tick(self.now))
            self._server(self.server.tick(self._exchange_now()))
        else:
            raise AssertionError("the machines never come to rest")
        self.now = Instant(end)

    @property
    def delivered(self) -> list[Received]:
        return [each.received for each in self.client_saw if isinstance(each, Deliver)]

    @property
    def symbols(self) -> list[str]:
        """The markets of the settlement reports that reached the client's application."""
        return [
            each.message.symbol
            for each in self.delivered
            if isinstance(each.message, MarketSettlementReport)
        ]

    @property
    def orders(self) -> list[Received]:
        return [each.received for each in self.server_saw if isinstance(each, Deliver)]

    @property
    def endings(self) -> list[Disconnect]:
        return [each for each in self.client_saw if isinstance(each, Disconnect)]

    @property
    def is_up(self) -> bool:
        return self.client.state is self.server.state is State.ESTABLISHED

    def _exchange_now(self) -> Instant:
        return Instant(self.now + self.skew)

    def _client(self, outputs: list[Output]) -> None:
        for output in outputs:
            self.client_saw.append(output)
            if isinstance(output, Transmit):
                self.wire.append(output.raw)
                if not self.loses(output.raw):
                    self.to_server(output.raw)
            if isinstance(output, Disconnect):
                self._server(self.server.disconnected())

    def _server(self, outputs: list[Output]) -> None:
        if self.server.state in {State.ESTABLISHED, State.LOGOUT_SENT}:
            self.exchange.sequences = self.server.sequences
        for output in outputs:
            self.server_saw.append(output)
            if isinstance(output, Transmit):
                self.wire.append(output.raw)
                if not self.loses(output.raw):
                    self.to_client(output.raw)
            if isinstance(output, Disconnect):
                self._client(self.client.disconnected())
        if self.server.state in {State.ESTABLISHED, State.LOGOUT_SENT}:
            self.exchange.sequences = self.server.sequences
