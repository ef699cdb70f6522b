"""A bot in a few lines, as in a notebook: start it, look at it, pause it, stop it.

On the built-in sandbox: no key, no network, no money.

python examples/notebook_bot.py
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import trueup
from trueup import Count, Desk, Order, Price, Strategy, Style, buy_yes
from trueup.core.ids import Ticker


class Patient(Strategy):
    """Keeps a bid of two cents in every market it sees."""

    name = "patient"
    price = Price.of_cents(2)

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Order]:
        """Say again what is wanted; the machine sends it once."""
        del desk
        for ticker in moved:
            yield buy_yes(
                ticker, Count.of_contracts(1), self.price, reason="cheap", style=Style.POST
            )


def main() -> None:
    """Run it for as long as it takes to look at it."""
    with trueup.Bot(Patient(), capital="20", world="temperatures") as bot:
        while not bot.status()["orders"]:
            time.sleep(0.2)
        order = bot.status()["orders"][0]
        print(f"rests: {order['side']} {order['count']} {order['ticker']} at {order['limit']}")
        print(f"stored with every trade: {bot.status()['strategies'][0]['parameters']}")

        bot.pause(words="lunch")
        while bot.status()["orders"]:
            time.sleep(0.2)
        print(f"paused: {bot.status()['strategies'][0]['why']}, nothing rests")
        report = bot.stop()

    print(f"{report.sent} orders sent, {report.fills} fills; why, in {report.decisions}")


if __name__ == "__main__":
    main()
