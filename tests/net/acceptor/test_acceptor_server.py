"""Starting and stopping."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from asker import Asker, OpenSandbox

from trueup.core.errors import ConfigError
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.instant import DAY, MINUTE, Instant
from trueup.core.units import Money
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings, serve, stations
from trueup.run.clock import ManualClock, seeded
from trueup.sim import commands as c
from trueup.sim.events import CashMoved
from trueup.sim.recorded import Recording
from trueup.sim.scenario import DEFAULT_SEED, World, account_world
from trueup.wire.rest import exchange, portfolio


def test_stopped_server_leaves_no_thread_and_frees_its_port(
    world: World, clock: Callable[[], Instant]
) -> None:
    before = threading.active_count()
    server = SandboxServer(world, clock=clock)
    with server:
        running = threading.active_count()
        port = server.port
    server.stop()

    assert running == before + 1
    assert threading.active_count() == before
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_port_in_use_is_a_clear_error(world: World, clock: Callable[[], Instant]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = SandboxServer(world, clock=clock, port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="cannot listen on port") as caught:
            server.start()

    assert "--port" in caught.value.remedy


def test_two_servers_do_not_share_keys(sandbox: Asker, open_sandbox: OpenSandbox) -> None:
    other = open_sandbox(Settings())

    stolen = Asker(other.server, other.clock, sandbox.signer)
    answer = stolen.get("/portfolio/balance")
    stolen.close()

    assert answer.status == 401


def test_running_exchange_takes_commands_from_outside() -> None:
    world = account_world(seeded(DEFAULT_SEED))
    clock = ManualClock(Instant(world.end + MINUTE))
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        asker = Asker(server, clock.now)
        before = asker.send(portfolio.balance())
        done = server.step(
            c.Credit(
                at=clock.now(),
                member=world.member,
                subaccount=PRIMARY,
                shard=SHARD_ZERO,
                amount=Money.parse("1.25"),
                reason="interest",
            )
        )
        after = asker.send(portfolio.balance())
        asker.close()

    assert isinstance(done[-1], CashMoved)
    assert after.low - before.low == Money.parse("1.25")


def test_world_goes_on_with_the_clock() -> None:
    """Markets close by themselves, and what rested in them is cancelled."""
    world = account_world(seeded(DEFAULT_SEED))
    clock = ManualClock(world.end)
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        asker = Asker(server, clock.now)
        before = len(asker.get("/portfolio/orders?status=resting").rows("orders"))
        clock.sleep(40 * DAY)
        after = len(asker.get("/portfolio/orders?status=resting").rows("orders"))
        asker.close()

    assert (before, after) == (4, 0)


def test_clock_before_the_end_shows_the_world_at_its_end(world: World) -> None:
    early = ManualClock(Instant(world.end - 1_000 * MINUTE))
    with SandboxServer(world, clock=early.now) as server:
        asker = Asker(server, early.now)
        shown = asker.send(exchange.user_data_timestamp())
        balance = asker.send(portfolio.balance())
        asker.close()

    assert shown == balance.at == world.end


def test_recording_takes_no_commands(clock: Callable[[], Instant]) -> None:
    with (
        SandboxServer(Recording({}), clock=clock) as server,
        pytest.raises(ConfigError, match="takes no commands"),
    ):
        server.step(c.Advance(at=clock()))


def test_foreground_server_serves_until_it_is_cancelled(
    world: World, clock: Callable[[], Instant]
) -> None:
    pair = new_ed25519_pair("front")
    served = stations(world, [pair.registered], Settings(), clock=clock)

    async def run() -> bytes:
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(served, 0, started=started))
        reader, writer = await asyncio.open_connection("127.0.0.1", await started)
        writer.write(
            b"GET /trade-api/v2/exchange/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return answer

    assert b'"trading_active":true' in asyncio.run(run())
