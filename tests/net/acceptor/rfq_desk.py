"""Two members and a stranger at one sandbox, who talk about quotes over REST."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from asker import Answered, Asker
from served_floor import MAKER, TICKER, RunningClock, ServedFloor

from trueup.core.fees import Precision
from trueup.core.instant import SECOND
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.signer import signer_for
from trueup.sim import commands as c

STRANGER = c.Member("57a00000-0000-4000-8000-000000000001")
MAKERS = new_ed25519_pair("maker-1", member=MAKER)
STRANGERS = new_ed25519_pair("stranger-1", member=STRANGER)


@dataclass
class RfqDesk:
    """We ask, the maker quotes, and the stranger looks on."""

    us: Asker
    maker: Asker
    stranger: Asker
    clock: RunningClock
    server: SandboxServer

    def ask_for(self, **wishes: Any) -> str:
        body = {"market_ticker": TICKER, "rest_remainder": False, "contracts_fp": "10.00"}
        return made(self.us.post("/communications/rfqs", {**body, **wishes}))

    def answer(self, rfq_id: str, yes: str = "0.4800", no: str = "0.4800", **wishes: Any) -> str:
        body = {"rfq_id": rfq_id, "yes_bid": yes, "no_bid": no, "rest_remainder": False}
        return made(self.maker.post("/communications/quotes", {**body, **wishes}))

    def accept(self, rfq_id: str, quote_id: str, side: str = "yes") -> Answered:
        path = f"/communications/rfqs/{rfq_id}/quotes/{quote_id}/accept"
        return self.us.put(path, {"accepted_side": side})

    def confirm(self, rfq_id: str, quote_id: str) -> Answered:
        return self.maker.put(f"/communications/rfqs/{rfq_id}/quotes/{quote_id}/confirm", {})

    def agree(self, side: str = "yes") -> tuple[str, str]:
        """All the way to a trade."""
        rfq_id = self.ask_for()
        quote_id = self.answer(rfq_id)
        assert self.accept(rfq_id, quote_id, side).status == 204
        assert self.confirm(rfq_id, quote_id).status == 204
        self.wait(15)
        return rfq_id, quote_id

    def wait(self, seconds: int) -> None:
        self.clock.skip(seconds * SECOND)

    def quote(self, asker: Asker, rfq_id: str, quote_id: str) -> dict[str, Any]:
        answer = asker.get(f"/communications/rfqs/{rfq_id}/quotes/{quote_id}")
        assert answer.status == 200, answer
        row: Any = answer.tree["quote"]
        return row

    def rfq(self, asker: Asker, rfq_id: str) -> dict[str, Any]:
        answer = asker.get(f"/communications/rfqs/{rfq_id}")
        assert answer.status == 200, answer
        row: Any = answer.tree["rfq"]
        return row


def made(answer: Answered) -> str:
    assert answer.status == 201, answer
    return str(answer.tree["id"])


@contextmanager
def rfq_desk() -> Generator[RfqDesk]:
    floor = ServedFloor()
    floor.step(c.OpenAccount(at=floor.now, member=STRANGER, precision=Precision.DIRECT))
    clock = RunningClock(floor.now)
    keys = [MAKERS.registered, STRANGERS.registered]
    with SandboxServer(
        floor.world(), clock=clock, settings=Settings(limits=UNLIMITED), keys=keys
    ) as server:
        us = Asker(server, clock)
        maker = Asker(server, clock, signer_for("maker-1", MAKERS.private))
        stranger = Asker(server, clock, signer_for("stranger-1", STRANGERS.private))
        yield RfqDesk(us, maker, stranger, clock, server)
        for asker in (us, maker, stranger):
            asker.close()
