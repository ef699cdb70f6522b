"""The running bot as an operator sees and steers it, behind the control channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import CallerError
from trueup.core.ids import Subaccount
from trueup.core.units import Price
from trueup.engine import inputs as i
from trueup.net.control import Said
from trueup.run.bot.decision_log import read_decisions
from trueup.run.bot.live import LiveBot
from trueup.run.clock import Clock

_WANTED: Final = {
    "pause": i.Wanted.PAUSE,
    "resume": i.Wanted.RESUME,
    "kill": i.Wanted.KILL,
    "rearm": i.Wanted.REARM,
    "cancel": i.Wanted.CANCEL,
    "flatten": i.Wanted.FLATTEN,
}

SLIPPAGE: Final = Price.of_cents(2)
"""How much worse than the best price a position is closed, unless said otherwise."""

_SLIPPAGE_MAX: Final = Price.of_cents(50)


@dataclass(frozen=True, slots=True)
class BotRoom:
    """What the control channel opens."""

    live: LiveBot
    clock: Clock
    shown: Callable[[], dict[str, Any]]
    """The status document of this moment."""
    decision_log: Path
    before_rearm: Callable[[], None]
    """Takes away what would stop the bot again at once: the kill file."""
    pull_switch: Callable[[], bool]
    """Leaves the kill file; whether it is there."""

    def status(self) -> Mapping[str, object]:
        """What the bot is doing."""
        return self.shown()

    def decisions(self, *, after: int | None, limit: int) -> Sequence[Mapping[str, object]]:
        """Lines of the decision log."""
        return read_decisions(self.decision_log, after=after, limit=limit)

    def obey(self, command: str, said: Said) -> Mapping[str, object]:
        """Hand the operator's word to the machine; answers with what is so afterwards."""
        wanted = _WANTED.get(command)
        if wanted is None:
            raise CallerError(f"this bot does not know how to {command}")
        self._check(wanted, said)
        slippage = slippage_of(said.slippage)
        if wanted is i.Wanted.REARM:
            self.before_rearm()
        self.live.give(
            i.OperatorSaid(
                at=self.clock.now(),
                wanted=wanted,
                by=said.by,
                strategy=said.strategy,
                words=said.words,
                order=said.order or None,
                subaccounts=tuple(Subaccount(each) for each in said.subaccounts),
                slippage=slippage.units,
            )
        )
        shown = self.shown()
        return {
            "command": command,
            "state": shown["state"],
            "strategies": [
                {name: each[name] for name in ("name", "state", "why")}
                for each in shown["strategies"]
            ],
            "halts": shown["halts"],
            "sweep": shown["sweep"],
            "flatten": shown["flatten"],
        }

    async def kept(self, command: str) -> bool:
        """Wait until what was obeyed survives the end of the process; whether it does.

        A kill must: where the intent log does not take it, on a full disk, the kill file does.
        """
        return await self.live.kept() or (command == i.Wanted.KILL and self.pull_switch())

    def _check(self, wanted: i.Wanted, said: Said) -> None:
        state = self.live.machine.state
        if said.strategy and said.strategy not in state.running:
            raise CallerError(
                f"no strategy {said.strategy!r} runs here",
                remedy=f"These do: {', '.join(state.running)}.",
            )
        if wanted is i.Wanted.KILL and said.strategy:
            raise CallerError(
                "the kill switch stops the whole account", remedy="To stop one strategy, pause it."
            )
        if wanted is i.Wanted.CANCEL:
            order = state.inflight.get(said.order)
            if order is None or not order.is_living:
                raise CallerError(
                    f"no living order of this bot is called {said.order!r}",
                    remedy="`trueup bot status` lists them by client order id.",
                )


def slippage_of(text: str) -> Price:
    """How much worse than the best price an order may be, in dollars a contract.

    Raises `CallerError` for what is no price, and for half a dollar and more.
    """
    slippage = Price.parse(text) if text else SLIPPAGE
    if not Price(0) <= slippage < _SLIPPAGE_MAX:
        raise CallerError(
            f"a slippage of {text} is no bound",
            remedy=f"Give dollars a contract, from 0 to less than {_SLIPPAGE_MAX}.",
        )
    return slippage
