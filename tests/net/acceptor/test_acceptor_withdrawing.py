"""The kill switch takes requests for quotes and quotes back, and waits for what it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from rfq_desk import RfqDesk, made, rfq_desk
from served_floor import OTHER

from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.instant import Instant
from trueup.net.client import Client, open_client
from trueup.net.session import Options
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.bot.killing import Killed, kill
from trueup.run.bot.withdrawing import Quoting, withdraw
from trueup.run.clock import unseeded


@dataclass
class DeskClock:
    """The exchange's own clock; to sleep lets it go on."""

    desk: RfqDesk

    def now(self) -> Instant:
        return self.desk.clock()

    def sleep(self, microseconds: int) -> None:
        self.desk.clock.skip(microseconds)


@pytest.fixture
def desk() -> Iterator[RfqDesk]:
    with rfq_desk() as open_desk:
        yield open_desk


@pytest.fixture
def client(desk: RfqDesk) -> Iterator[Client]:
    endpoint = resolve_endpoint(Venue.SANDBOX, desk.server.base_url)
    clock = DeskClock(desk)
    with open_client(
        endpoint,
        desk.us.signer,
        clock=clock.now,
        sleep=clock.sleep,
        chance=unseeded(),
        options=Options(),
    ) as opened:
        yield opened


def killed(desk: RfqDesk, client: Client, said: list[str]) -> Killed:
    return kill(client, [PRIMARY], clock=DeskClock(desk), said=said.append)


def our_quote_for_the_maker(desk: RfqDesk) -> tuple[str, str]:
    """The maker asks, and we quote."""
    body = {"market_ticker": OTHER, "contracts_fp": "5.00", "rest_remainder": False}
    rfq_id = made(desk.maker.post("/communications/rfqs", body))
    quote = {"rfq_id": rfq_id, "yes_bid": "0.40", "no_bid": "0.40", "rest_remainder": True}
    return rfq_id, made(desk.us.post("/communications/quotes", quote))


def test_open_requests_and_quotes_are_taken_back(desk: RfqDesk, client: Client) -> None:
    asked = desk.ask_for()
    answered = desk.answer(asked)
    theirs, ours = our_quote_for_the_maker(desk)
    said: list[str] = []

    done = killed(desk, client, said)

    assert done.proven
    assert not done.quoting
    assert desk.rfq(desk.us, asked)["status"] == "closed"
    assert desk.quote(desk.maker, asked, answered)["status"] == "cancelled"
    assert desk.quote(desk.us, theirs, ours)["status"] == "cancelled"
    assert desk.rfq(desk.us, theirs)["status"] == "open"
    assert "1 open RFQ, 1 open quote: taking back what can be" in said


def test_a_confirmed_quote_is_waited_for_and_its_order_cancelled(
    desk: RfqDesk, client: Client
) -> None:
    """A confirmed quote cannot be withdrawn from: the kill goes on until it has executed."""
    theirs, ours = our_quote_for_the_maker(desk)
    path = f"/communications/rfqs/{theirs}/quotes/{ours}"
    assert desk.maker.put(f"{path}/accept", {"accepted_side": "yes"}).status == 204
    assert desk.us.put(f"{path}/confirm", {}).status == 204
    said: list[str] = []

    done = killed(desk, client, said)

    assert done.proven
    assert done.tries > 10
    assert "1 confirmed quote" in said
    assert desk.quote(desk.us, theirs, ours)["status"] == "executed"
    assert desk.us.get("/portfolio/orders?status=resting").rows("orders") == []


def test_without_anything_quoted_nothing_is_said(client: Client) -> None:
    said: list[str] = []

    assert withdraw(client, [PRIMARY], said=said.append) == Quoting()
    assert said == []


def test_other_subaccounts_are_left_alone(desk: RfqDesk, client: Client) -> None:
    asked = desk.ask_for()

    assert withdraw(client, [Subaccount(1)], said=lambda _: None) == Quoting()
    assert desk.rfq(desk.us, asked)["status"] == "open"
