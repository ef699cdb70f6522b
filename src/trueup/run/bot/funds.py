"""Whether the money that the strategies were given is there: capitals beside the exchange's cash.

A capital is a promise to a strategy.  Where the account holds less, its orders would fail one
by one for want of cash, whichever strategy comes last; better said before the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.core.ids import Subaccount
from trueup.core.units import ZERO_MONEY, Money
from trueup.engine.fullness import exposure
from trueup.engine.state import State
from trueup.net.client import Client
from trueup.run.bot.options import BotOptions

REMEDY = (
    "Give the strategies less capital, or bring the money there: `trueup subaccounts list` shows "
    "what each holds, `trueup subaccounts transfer` moves it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A subaccount whose strategies were given more than it holds.

    `tied` is what positions and orders hold already; `cash` is what is available beside it.
    """

    subaccount: Subaccount
    capital: Money
    tied: Money
    cash: Money

    @property
    def words(self) -> str:
        """The shortfall as a sentence."""
        tied = f" and {self.tied.dollars()} is in positions and orders" if self.tied else ""
        return (
            f"the strategies of subaccount {self.subaccount} were given {self.capital.dollars()} "
            f"together, but {self.cash.dollars()} is available there{tied}"
        )


def shortfalls(state: State) -> Iterator[Shortfall]:
    """Where a bot that has read its account has less than its strategies' capitals.

    What a strategy holds counts at its cost.  A subaccount whose balance nobody read is not
    judged.
    """
    cash: dict[Subaccount, Money] = {}
    for (place, shard), pot in state.portfolio.pots().items():
        left = pot.available - state.portfolio.spent(place, shard)
        cash[place] = cash.get(place, ZERO_MONEY) + left
    for place in sorted(cash):
        here = [each for each in state.running.values() if each.mandate.subaccount == place]
        capital = sum((each.mandate.capital for each in here), ZERO_MONEY)
        tied = sum((exposure(state, each.name) for each in here), ZERO_MONEY)
        if cash[place] + tied < capital:
            yield Shortfall(subaccount=place, capital=capital, tied=tied, cash=cash[place])


def planned_shortfalls(options: BotOptions, client: Client) -> Iterator[Shortfall]:
    """The same before anything runs, by one reading of each subaccount's balance.

    Whose positions are there nobody knows yet, so all of them count.
    """
    capitals: dict[Subaccount, Money] = {}
    for _, mandate in options.mandates:
        place = mandate.subaccount
        capitals[place] = capitals.get(place, ZERO_MONEY) + mandate.capital
    for place, capital in sorted(capitals.items()):
        balance = client.portfolio.balance(subaccount=place)
        tied = balance.portfolio_value or ZERO_MONEY
        if balance.high + tied < capital:
            yield Shortfall(subaccount=place, capital=capital, tied=tied, cash=balance.high)
