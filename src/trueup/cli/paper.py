"""`paper compare`: paper beside the live orders of the same decisions."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import Column, moment
from trueup.core.errors import BooksError
from trueup.core.facts import OrderReported
from trueup.core.instant import SECOND
from trueup.run.desk import Desk, DeskSettings
from trueup.run.paper.beside import Comparison, Pair, compare


def register(app: typer.Typer) -> None:
    """Add the commands about paper."""
    group = typer.Typer(help="Paper accounts beside real ones.", no_args_is_help=True)
    command(group, "compare")(compare_orders)
    app.add_typer(group, name="paper")


def compare_orders(
    invocation: Invocation,
    *,
    apart: Annotated[
        float,
        typer.Option("--apart", help="Seconds that the same decision may be apart.", min=0),
    ] = 60,
) -> None:
    """Set what paper got beside what live got, for the same decisions, by the books of both."""
    settings = lead(invocation).off_paper()
    found = compare(_orders(settings.on_paper()), _orders(settings), apart_max=int(apart * SECOND))
    output = invocation.output
    output.result(
        {
            "pairs": [_row(each) for each in found.pairs],
            "only_paper": found.only_paper,
            "only_live": found.only_live,
            "paper_was_kinder": found.kinder,
            "paper_filled_more": found.filled_more,
            "price_difference": found.price_difference,
        }
    )
    _say(invocation, found)


def _orders(settings: DeskSettings) -> list[OrderReported]:
    with Desk(settings) as desk:
        if not desk.has_books():
            raise _nothing_to_compare(settings)
        return list(desk.books(create=False, read_only=True).orders())


def _nothing_to_compare(settings: DeskSettings) -> BooksError:
    name = settings.config.account
    if not settings.is_paper:
        return BooksError(
            f"There are no books of account {name}, so there is nothing to set paper beside.",
            remedy="Let the same bot trade on it (`trueup bot run my_bot.py` without --paper), "
            "then `trueup sync`.",
        )
    if settings.paper_path.exists():
        return BooksError(
            f"The paper account {name} has traded, but its books were never made.",
            remedy=f"Run `trueup sync --account {name}`, then compare again.",
        )
    return BooksError(
        f"Nothing was traded on paper yet: there are no books of the paper account {name}.",
        remedy="Run the bot on paper beside the live one: `trueup bot run my_bot.py --paper`.",
    )


def _say(invocation: Invocation, found: Comparison) -> None:
    columns = (
        Column("at", "time"),
        Column("strategy", "strategy"),
        Column("ticker", "market"),
        Column("side", "side"),
        Column("paper_share", "paper filled", is_figure=True),
        Column("live_share", "live filled", is_figure=True),
        Column("paper_price", "paper price", is_figure=True),
        Column("live_price", "live price", is_figure=True),
        Column("paper_fee", "paper fee", is_figure=True),
        Column("live_fee", "live fee", is_figure=True),
        Column("kinder", "paper kinder"),
    )
    rows = [_row(each) for each in found.pairs]
    invocation.output.table(
        [column.title for column in columns],
        [[row[column.key] for column in columns] for row in rows],
        right=[column.title for column in columns if column.is_figure],
        empty="No decision was made on paper and live.",
    )
    invocation.output.say(
        f"{len(found.pairs)} decisions on both sides, {found.only_paper} on paper only, "
        f"{found.only_live} live only. Paper was kinder in {found.kinder}; over all it filled "
        f"{found.filled_more} contracts more."
    )


def _row(pair: Pair) -> dict[str, object]:
    return {
        "at": moment(pair.live.at),
        "strategy": pair.strategy or None,
        "ticker": pair.ticker,
        "side": pair.side.value,
        "paper_share": pair.paper.share,
        "live_share": pair.live.share,
        "paper_price": pair.paper.price,
        "live_price": pair.live.price,
        "paper_fee": pair.paper.fee_a_contract,
        "live_fee": pair.live.fee_a_contract,
        "kinder": pair.is_kinder,
    }
