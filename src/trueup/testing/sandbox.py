"""A running sandbox in a thread of its own, and the handle that steers it.

    with KalshiSandbox.start(world="temperatures") as sandbox:
        bot = MyBot(sandbox.base_url, sandbox.key_id, sandbox.private_key_path)
        bot.trade()
        sandbox.control.advance("2d")
        assert sandbox.control.account()["cash"] == ...

The pytest fixture `kalshi_sandbox` (`plugin.py`) hands one to each test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from trueup.core.errors import CallerError
from trueup.core.instant import Instant, parse_instant
from trueup.net.acceptor.control_words import WORDS
from trueup.net.acceptor.house import TIERS, UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import SystemClock
from trueup.run.private_files import write_private_file
from trueup.run.sandbox.living import BRIEF_WARM_UP, Wish, identifiers, prepare
from trueup.sim.faults import fault

DEFAULT_START: Final = parse_instant("2026-10-16T16:00:00Z")
"""A Friday noon in New York: every test begins at the same moment unless told otherwise."""


class Control:
    """Steers a sandbox.  Everything the control API can do, `ask` can do; the usual is named.

    Methods raise `CallerError` for what the exchange refuses, and return plain
    dictionaries, as the HTTP API does.
    """

    def __init__(self, server: SandboxServer) -> None:
        self._server = server

    def ask(self, word: str, **fields: object) -> dict[str, Any]:
        """Ask a word of the control API.  `docs/reference/control.md` lists them all."""
        known = WORDS.get(word)
        if known is None:
            raise CallerError(
                f"there is no word {word!r}", remedy=f"Words are: {', '.join(WORDS)}."
            )
        try:
            body = msgspec.convert(fields, known.body, strict=False)
        except msgspec.ValidationError as error:
            raise CallerError(f"{word}: {error}") from error
        return self._server.control(known, body)

    # -- time ------------------------------------------------------------------------------

    @property
    def now(self) -> Instant:
        """The world's present."""
        return parse_instant(str(self.ask("state")["time"]))

    def advance(self, by: str) -> None:
        """Let time pass: ``"30s"``, ``"15m"``, ``"2h"``, ``"3d"``."""
        self.ask("advance", by=by)

    def advance_until(self, ticker: str, status: str = "finalized", *, limit: str = "30d") -> bool:
        """Let time pass until a market has a status, at most `limit`; returns whether it has."""
        return bool(self.ask("advance", by=limit, ticker=ticker, status=status)["reached"])

    # -- markets ---------------------------------------------------------------------------

    def markets(self, *, status: str = "active", series: str = "") -> list[dict[str, Any]]:
        """The markets with their best prices."""
        return list(self.ask("markets", status=status, series=series)["markets"])

    def pause(self, ticker: str) -> None:
        """Pause a market."""
        self.ask("pause", ticker=ticker)

    def resume(self, ticker: str) -> None:
        """Resume a paused market."""
        self.ask("resume", ticker=ticker)

    def exchange(self, *, trading: bool, active: bool = True, shard: int | None = None) -> None:
        """Pause the exchange or a shard (without `active` not even cancellations pass), or go on."""
        self.ask("exchange", trading=trading, active=active, shard=shard)

    def determine(self, ticker: str, result: str = "", *, pays: str = "") -> None:
        """State a result: ``yes``, ``no``, or what one YES contract `pays`."""
        self.ask("determine", ticker=ticker, result=result, pays=pays)

    def settle(self, ticker: str, result: str = "", *, pays: str = "") -> None:
        """Pay a market now; with a result it is determined first."""
        if result or pays:
            self.determine(ticker, result, pays=pays)
        self.ask("settle", ticker=ticker)

    # -- money and orders ------------------------------------------------------------------

    def deposit(self, amount: str, *, shard: int = 0) -> None:
        """Bring money in."""
        self.ask("deposit", amount=amount, shard=shard)

    def account(self) -> dict[str, Any]:
        """Cash and positions, by the exchange's own truth."""
        return self.ask("account")

    def orders(self, ticker: str = "") -> list[dict[str, Any]]:
        """Every order of the account, by the exchange's own truth."""
        return list(self.ask("orders", ticker=ticker)["orders"])

    def fills(self, ticker: str = "") -> list[dict[str, Any]]:
        """Every fill of the account, by the exchange's own truth."""
        return list(self.ask("fills", ticker=ticker)["fills"])

    def trade(self, ticker: str, price: str, count: str = "1", *, taker_side: str = "yes") -> None:
        """Let two visitors trade."""
        self.ask("trade", ticker=ticker, price=price, count=count, taker_side=taker_side)

    def fill(self, order_id: str, count: str = "") -> None:
        """Let somebody take a resting order, or part of it."""
        self.ask("fill", order_id=order_id, count=count)

    def quote(self, ticker: str, *, bid: str = "", ask: str = "", count: str = "100") -> None:
        """Let a visitor quote."""
        self.ask("quote", ticker=ticker, bid=bid, ask=ask, bid_count=count, ask_count=count)

    # -- faults and the past ---------------------------------------------------------------

    def fault(self, name: str, **measure: object) -> int:
        """Let something go wrong; returns its number.  `measure`: ``times``, ``percent`` and so on."""
        return int(self.ask("fault", name=name, **measure)["number"])

    def clear_faults(self, name: str = "") -> None:
        """Let everything, or what is named, go right again."""
        self.ask("clear-faults", name=name)

    def snapshot(self, name: str = "default") -> None:
        """Keep this moment."""
        self.ask("snapshot", name=name)

    def restore(self, name: str = "default") -> None:
        """Return to a kept moment."""
        self.ask("restore", name=name)

    def reset(self, seed: int | None = None) -> None:
        """Begin again."""
        self.ask("reset", seed=seed)


class KalshiSandbox:
    """A running sandbox: where it is, the key to it, and its `control`.  A context manager."""

    def __init__(
        self,
        server: SandboxServer,
        folder: Path,
        *,
        seed: int,
        words: str,
        fix_certificate: Path | None = None,
    ) -> None:
        self._server = server
        self.fix_certificate_path: Final = fix_certificate
        self.seed: Final = seed
        self.words: Final = words
        self.private_key_path: Final = folder / "kalshi-sandbox.pem"
        self.control: Final = Control(server)
        write_private_file(self.private_key_path, server.pair.pem)

    @classmethod
    def start(
        cls,
        *,
        world: str = "mixed",
        scenario: Path | str | None = None,
        seed: int | None = None,
        speed: int = 0,
        density: int | None = None,
        start: Instant | str | None = None,
        faults: Iterable[str] = (),
        tier: str = "",
        folder: Path | None = None,
        fix: bool = False,
    ) -> Self:
        """Make a world and serve it on a free port.

        The clock is stepped unless `speed` says otherwise.  `start` is an instant or
        RFC 3339 text.  `faults` are switched on from the beginning.  Without a `tier`
        no request is ever too many.  With `fix` there are FIX sessions, too.
        """
        if tier and tier not in TIERS:
            raise CallerError(f"there is no tier {tier!r}", remedy=f"Tiers: {', '.join(TIERS)}.")
        begin = parse_instant(start) if isinstance(start, str) else start
        prepared = prepare(
            Wish(
                world=world,
                scenario=None if scenario is None else Path(scenario),
                seed=seed,
                speed=speed,
                density=density,
                start=DEFAULT_START if begin is None else begin,
                warm_up=BRIEF_WARM_UP,
                faults=tuple(fault(name) for name in faults),
            )
        )
        place = Path(tempfile.mkdtemp(prefix="kalshi-sandbox-")) if folder is None else folder
        settings, certificate = (
            Settings(
                limits=TIERS[tier] if tier else UNLIMITED,
                new_id=identifiers(prepared.living.seed),
            ),
            None,
        )
        if fix:
            # Few need it, and its dictionary takes time to load.
            from trueup.run.fix.sandbox import with_fix  # noqa: PLC0415

            settings, certificate = with_fix(settings, place / "kalshi-sandbox.pem")
        server = SandboxServer(prepared.living, clock=SystemClock().now, settings=settings)
        server.start()
        return cls(
            server,
            place,
            seed=prepared.living.seed,
            words=prepared.words,
            fix_certificate=certificate,
        )

    @property
    def base_url(self) -> str:
        """The REST root, ``http://127.0.0.1:PORT/trade-api/v2``."""
        return self._server.base_url

    @property
    def websocket_url(self) -> str:
        """The WebSocket, ``ws://127.0.0.1:PORT/trade-api/ws/v2``."""
        return self._server.websocket_url

    @property
    def fix_ports(self) -> dict[str, int]:
        """Where each FIX session listens, by its name (``KalshiNR``); empty without `fix`."""
        fix = self._server.fix
        return {} if fix is None else {kind.value: port for kind, port in fix.ports.items()}

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return self._server.origin

    @property
    def key_id(self) -> str:
        """The API key's id."""
        return self._server.key_id

    @property
    def environment(self) -> dict[str, str]:
        """Variables that many clients read, for programs that a test starts."""
        return {
            "KALSHI_API_KEY_ID": self.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(self.private_key_path),
            "KALSHI_BASE_URL": self.base_url,
            "TRUEUP_BASE_URL": self.base_url,
        }

    def close(self) -> None:
        """Stop it.  Harmless when it has stopped already."""
        self._server.stop()
        self.private_key_path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
