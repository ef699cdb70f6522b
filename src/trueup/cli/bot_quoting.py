"""The part of the kill switch that a bot does not do: requests for quotes and quotes."""

from __future__ import annotations

from contextlib import AbstractContextManager

from trueup.cli.common import Invocation
from trueup.core.errors import TrueupError
from trueup.core.ids import Subaccount
from trueup.net.client import Client
from trueup.run.bot.withdrawing import withdraw
from trueup.run.clients import open_client
from trueup.run.desk import DeskSettings


def client_of_account(
    invocation: Invocation, settings: DeskSettings, *, live: bool
) -> AbstractContextManager[Client]:
    """A client of its own for what the kill switch does without a bot."""
    return open_client(
        venue=settings.config.venue,
        account=settings.config.account,
        live=live,
        environment=invocation.environment,
    )


def take_back_quotes(
    invocation: Invocation, settings: DeskSettings, subaccounts: list[int], *, live: bool
) -> list[str]:
    """A bot knows orders only: take back here what is quoted for its account.

    Returns what may still trade.  A paper account, and a world inside the bot's process, have
    nothing of the kind that could be reached.
    """
    output = invocation.output
    if settings.is_embedded or settings.is_paper:
        return []
    try:
        with client_of_account(invocation, settings, live=live) as client:
            places = [Subaccount(each) for each in subaccounts]
            left = withdraw(client, places, said=output.say)
    except TrueupError as error:
        output.notice(f"nobody looked for open requests for quotes: {error}")
        return []
    if left:
        output.notice(f"may still trade: {left.words()}")
    return left.ids
