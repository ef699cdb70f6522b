"""One client and one exchange over thousands of messages: a line that loses, changes, repeats and
invents bytes, connections that break, processes that die, and clocks that go on.

`Life` lives it from a seed.  Every report that the exchange published must reach the
application once and in order on a session that retransmits; elsewhere never twice, never out of
order, and none is missing without a word.  Nothing may pile up: of a life of any length only counters are kept here, and
the fields that the exchange invents are remembered up to a bound.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from fix_pair import Pair, report

from trueup.core.instant import SECOND, Instant
from trueup.wire.fix.codec import UNKNOWN_MAX
from trueup.wire.fix.frame import Framer, close_frame, open_frame
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.resend import marked_as_resent
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, LoggedOn, Missed, State

ROUND = 50
"""After so many steps the line is calm for a while, and everything is compared."""

CALM_ROUNDS = 6


@dataclass
class Tally:
    """What happened in a life."""

    steps: int = 0
    messages: int = 0
    published: int = 0
    delivered: int = 0
    connections: int = 0
    lost: int = 0
    changed: int = 0
    repeated: int = 0
    noise: int = 0


class Line(Pair):
    """The two sides with a line that does what chance says."""

    def __init__(self, kind: SessionKind, chance: random.Random) -> None:
        super().__init__(kind)
        self.chance = chance
        self.tally = Tally()
        self.badness = 0.0
        self._heard: list[bytes] = []
        self._framer = Framer()

    def connect(self) -> None:
        self._framer = Framer()
        self._heard.clear()
        self.tally.connections += 1
        super().connect()

    def to_client(self, raw: bytes) -> None:
        """What the exchange sent, or what became of it."""
        self.tally.messages += 1
        for piece in self._fate(raw):
            self._framer.feed(piece)
            while (frame := self._framer.next_frame()) is not None:
                self._client(self.client.receive(frame, self.now))

    def _fate(self, raw: bytes) -> list[bytes]:
        chance, tally = self.chance, self.tally
        if chance.random() >= self.badness:
            self._heard = [*self._heard[-20:], raw]
            return [raw]
        place = chance.randrange(len(raw))
        match chance.randrange(6):
            case 0:
                tally.lost += 1
                pieces: list[bytes] = []
            case 1:
                tally.changed += 1
                bit = bytes([raw[place] ^ 1 << chance.randrange(8)])
                pieces = [raw[:place] + bit + raw[place + 1 :]]
            case 2:
                tally.noise += 1
                pieces = [chance.randbytes(chance.randrange(40)), raw]
            case 3 if self._heard:
                tally.repeated += 1
                again = chance.choice(self._heard)
                is_marked = chance.random() < 0.8 and b"\x0143=Y" not in again
                pieces = [marked_as_resent(again, self.now) if is_marked else again, raw]
            case 4:
                alien = b"%d=x\x01" % chance.randrange(30_000, 60_000)
                pieces = [close_frame(open_frame(raw) + alien)]
            case _:
                pieces = [raw[:place], raw[place:]]
        return pieces


class Life:
    """A seed lived step by step; raises `AssertionError` for a report twice, astray or lost."""

    def __init__(self, seed: int, kind: SessionKind = SessionKind.PT) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # chance, no secret
        self.line = Line(kind, self.chance)
        self.last = 0
        self.told = False
        self.line.connect()

    def live(self, steps: int) -> Tally:
        """Some rounds of trouble, each with a calm end."""
        for number in range(steps):
            self.line.tally.steps += 1
            self._step()
            if number % ROUND == ROUND - 1:
                self._settle()
        self._settle()
        return self.line.tally

    def _step(self) -> None:
        line, chance = self.line, self.chance
        match chance.choices(
            ["publish", "burst", "bad", "good", "cut", "restart", "wait", "logout"],
            [40, 8, 4, 4, 3, 2, 8, 1],
        )[0]:
            case "publish":
                self._publish(1)
            case "burst":
                self._publish(chance.randrange(2, 60))
            case "bad":
                line.badness = chance.choice([0.02, 0.1, 0.3, 0.7])
            case "good":
                line.badness = 0.0
            case "cut":
                self._come_back()
            case "restart":
                line.cut()
                line.restart_client()
                self._come_back()
            case "wait":
                line.wait(chance.randrange(1, 100))
            case _:
                line.logout()
        self._look()

    def _publish(self, count: int) -> None:
        for _ in range(count):
            if self.line.server.state is State.ESTABLISHED:
                self.line.tally.published += 1
                self.line.publish(report(self.line.tally.published))

    def _come_back(self) -> None:
        line = self.line
        line.cut()
        line.now = Instant(line.now + SECOND)
        line.connect()

    def _look(self) -> None:
        """Take what was delivered: each report follows the one before it, or a gap was told."""
        line = self.line
        for output in line.client_saw:
            if isinstance(output, Missed) or (isinstance(output, LoggedOn) and output.was_reset):
                self.told = not line.kind.terms.retransmits
            if isinstance(output, Deliver) and isinstance(
                output.received.message, MarketSettlementReport
            ):
                number = int(output.received.message.symbol.removeprefix("KXA-"))
                follows = number > self.last if self.told else number == self.last + 1
                assert follows, f"{line.kind}: report {number} after {self.last}"
                self.last, self.told = number, False
                line.tally.delivered += 1
        for seen in (line.client_saw, line.server_saw, line.wire):
            seen.clear()
        assert len(line.client.unknown_fields) <= UNKNOWN_MAX

    def _settle(self) -> None:
        """A calm line brings both sides together, whatever was before."""
        line = self.line
        line.badness = 0.0
        for _ in range(CALM_ROUNDS):
            line.wait(200)
            self._look()
            if not line.is_up:
                self._come_back()
        assert line.is_up
        assert line.client.sequences.next_in == line.server.sequences.next_out
        assert line.server.sequences.next_in == line.client.sequences.next_out
        if line.kind.terms.retransmits:
            assert self.last == line.tally.published
