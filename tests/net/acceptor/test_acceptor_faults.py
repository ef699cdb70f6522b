"""Faults on purpose do exactly what their names say."""

from __future__ import annotations

import time
from dataclasses import replace

import msgspec
import pytest
from asker import Asker, OpenSandbox

from trueup.core.facts import Settled
from trueup.core.instant import DAY
from trueup.net.acceptor.faults import STRANGE_FIELD, STRANGE_WORD, Faults
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import Settings
from trueup.sim.scenario import World
from trueup.wire.rest import portfolio

PATH = "/portfolio/settlements?limit=5"


def faulty(open_sandbox: OpenSandbox, faults: Faults) -> Asker:
    return open_sandbox(Settings(limits=UNLIMITED, faults=faults))


def statuses(asker: Asker, number: int) -> list[int]:
    return [asker.get(PATH).status for _ in range(number)]


@pytest.fixture
def latest(world: World) -> Settled:
    return world.exchange.account(world.member).settlements[-1].settled


def test_outage_ends_after_so_many_requests(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(unavailable=2))

    assert statuses(asker, 4) == [503, 503, 200, 200]


def test_outage_may_begin_later(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(after=1, unavailable=1))

    assert statuses(asker, 3) == [200, 503, 200]


def test_storm_of_429_has_the_bare_body(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(storm=2))
    first = asker.get(PATH)

    assert (first.status, first.body) == (429, b'{"error":"too many requests"}')
    assert statuses(asker, 2) == [429, 200]


def test_faults_come_one_kind_after_the_other(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(unavailable=1, storm=1, truncated=1, not_json=1))

    answers = [asker.get(PATH) for _ in range(5)]

    assert [one.status for one in answers] == [503, 429, 200, 200, 200]
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answers[2].body)
    assert answers[3].body.startswith(b"<html>")
    assert answers[4].rows("settlements")


def test_endless_cursor_never_ends(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(endless_cursor=frozenset({"GetSettlements"})))

    first = asker.get(PATH)
    again = asker.get(f"{PATH}&cursor={first.tree['cursor']}")

    assert first.tree["cursor"] == again.tree["cursor"] != ""
    assert first.rows("settlements") == again.rows("settlements")


def test_slow_server_takes_its_time(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(slow=0.2))

    started = time.monotonic()
    asker.raw("/exchange/status")

    assert time.monotonic() - started >= 0.2


def test_missing_row_is_missing(open_sandbox: OpenSandbox, latest: Settled) -> None:
    asker = faulty(open_sandbox, Faults(settlements_missing=frozenset({latest.ticker})))

    assert latest.ticker not in {row["ticker"] for row in asker.get(PATH).rows("settlements")}


def test_row_may_come_twice(open_sandbox: OpenSandbox, latest: Settled) -> None:
    asker = faulty(open_sandbox, Faults(settlements_twice=frozenset({latest.ticker})))

    rows = asker.get(PATH).rows("settlements")

    assert rows[0] == rows[1]
    assert rows[0]["ticker"] == latest.ticker


def test_row_may_come_late(open_sandbox: OpenSandbox, latest: Settled) -> None:
    late = faulty(open_sandbox, Faults(settlements_late={latest.ticker: 90 * DAY}))
    almost = faulty(open_sandbox, Faults(settlements_late={latest.ticker: 1}))

    assert latest.ticker not in {row["ticker"] for row in late.get(PATH).rows("settlements")}
    assert latest.ticker in {row["ticker"] for row in almost.get(PATH).rows("settlements")}


def test_row_may_change(open_sandbox: OpenSandbox, latest: Settled, sandbox: Asker) -> None:
    asker = faulty(open_sandbox, Faults(settlements_changed={latest.ticker: 100}))
    call = portfolio.settlements(ticker=latest.ticker)

    (right,) = sandbox.send(call).items
    (wrong,) = asker.send(call).items

    assert wrong == replace(right, revenue=wrong.revenue)
    assert (wrong.revenue - right.revenue).units == 1_000_000


def test_unknown_field_is_one_the_client_counts(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(unknown_field=frozenset({"GetFills"})))

    call = portfolio.fills(limit=2)
    page = call.decode(asker.get("/portfolio/fills?limit=2").body)

    assert page.unknown_fields == (STRANGE_FIELD,)
    assert len(page.items) == 2


def test_unknown_word_spoils_one_record_only(open_sandbox: OpenSandbox) -> None:
    asker = faulty(open_sandbox, Faults(unknown_word=frozenset({"GetSettlements"})))

    page = portfolio.settlements().decode(asker.get("/portfolio/settlements?limit=5").body)

    (spoilt,) = page.unreadable
    assert STRANGE_WORD in spoilt.reason
    assert len(page.items) == 4


def test_no_fault_is_there_by_default(sandbox: Asker) -> None:
    assert Faults() == Settings().faults
    assert statuses(sandbox, 3) == [200, 200, 200]
