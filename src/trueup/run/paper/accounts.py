"""Paper accounts: the real exchange is listened to, and orders stay here.

Three parts, each with one job:

- a *listener* with a client that cannot write (every write is refused before it
  would be signed) reads markets, books and trades of the real exchange;
- a *paper world* (`sim.living.paper_world`) takes them in; it has the account;
- a *sandbox server* serves that world on this machine, and the bot trades there as
  it would anywhere.

So the bot is the same, and its orders never leave: the only client that knows the
real exchange is the listener's.  The account is kept in a log of its own and made
again from it; an account is paper when its name ends in ``-paper``.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from trueup.core.errors import ConfigError
from trueup.core.fees import Precision
from trueup.core.ids import SHARD_ZERO
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.net.acceptor.faults import Faults
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.living import Living
from trueup.net.acceptor.server import SandboxServer
from trueup.net.acceptor.server import Settings as SandboxSettings
from trueup.net.signer import Signer, signer_for
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.run.clock import SystemClock, VirtualClock, seeded
from trueup.sim.exchange import Exchange
from trueup.sim.faults import FaultPlan
from trueup.sim.living.paper_world import MarketTold, PaperWorld
from trueup.store.paper_log import PaperLog, read_paper_log

DEPOSIT: Final = Money.parse("1000")
"""What a paper account begins with unless asked for otherwise."""

_PREFIX: Final = 24
"""How much of a trade's name says in which session it was made."""

LATENCY: Final = 0.1
"""Seconds that a request to the paper exchange takes: about what one to the real one takes."""


@dataclass(frozen=True, slots=True)
class PaperServer:
    """A served paper account: where it is, and who signs."""

    world: PaperWorld
    endpoint: Endpoint
    signer: Signer


def serve_paper(
    path: Path,
    stack: ExitStack,
    *,
    precision: Precision,
    deposit: Money = DEPOSIT,
    first: tuple[MarketTold, ...] = (),
    latency: float = LATENCY,
    writes: bool = True,
) -> PaperServer:
    """Make a paper account again from its log, and serve it until `stack` ends.

    `first` are the markets that are known already.  Without `writes` nothing is kept:
    for those who only look.
    """
    kept = list(read_paper_log(path))
    log = stack.enter_context(PaperLog(path)) if writes else None
    now = SystemClock().now()
    world = PaperWorld(
        # Trades of another session must not have the same names.
        Exchange(trade_id_prefix=str(uuid4())[:_PREFIX]),
        keep=(lambda _: None) if log is None else log.keep,
        precision=precision,
    )
    shards = sorted({told.market.shard for told in first}) or [SHARD_ZERO]
    world.begin(now, kept, deposit=deposit, shards=shards)
    if world.refused:
        raise ConfigError(
            f"{path} does not make its account again: {world.refused[0]}",
            remedy="Move the file away to begin a new paper account.",
        )
    world.inbox.extend(first)
    world.advance(Instant(max(now, world.exchange.now)))
    server = SandboxServer(
        Living(
            world=world,
            clock=VirtualClock(Instant(max(now, world.exchange.now)), speed=1),
            plan=FaultPlan(seeded("paper"), ()),
            seed=0,
            rebuild=None,
        ),
        clock=SystemClock().now,
        settings=SandboxSettings(limits=UNLIMITED, faults=Faults(slow=latency)),
    )
    server.start()
    stack.callback(server.stop)
    endpoint = resolve_endpoint(Venue.SANDBOX, server.base_url)
    return PaperServer(world, endpoint, signer_for(server.key_id, server.pair.private))


def last_kept_at(path: Path) -> Instant | None:
    """When the account last did something: trades since then are read again at a start."""
    last: Instant | None = None
    for command in read_paper_log(path):
        last = command.at
    return last
