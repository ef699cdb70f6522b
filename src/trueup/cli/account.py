"""`balance`, `positions`, `orders`, `fills`, `settlements`, `pnl`: what the books say."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.cli.output import Column
from trueup.ledger.report import By, PnlLine

OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Answer from the local books without asking the exchange.")
]
TickerOption = Annotated[str, typer.Option("--ticker", help="Only this market.", metavar="TICKER")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many rows.")]
ByOption = Annotated[By, typer.Option("--by", help="What to break it down by.")]


def register(app: typer.Typer) -> None:
    """Add the commands that read the books."""
    command(app, "balance")(balance)
    command(app, "positions")(positions)
    command(app, "orders")(orders)
    command(app, "fills")(fills)
    command(app, "pnl")(pnl)


def balance(invocation: Invocation, *, offline: OfflineOption = False) -> None:
    """Cash and positions' value, as the exchange says and as the books say."""
    with open_account(invocation, refresh=not offline) as account:
        rows = account.balances()
        invocation.output.listing(
            "balances",
            rows,
            (
                Column("subaccount", "subaccount"),
                Column("shard", "shard"),
                Column("exchange", "exchange says", is_figure=True),
                Column("books", "books say", is_figure=True),
                Column("collateral", "in resting orders", is_figure=True),
                Column("difference", "difference", is_figure=True),
                Column("portfolio_value", "positions' value", is_figure=True),
                Column("age", "age", is_figure=True),
            ),
            empty="No balance was read yet. Run `trueup sync`.",
        )


def positions(
    invocation: Invocation, *, ticker: TickerOption = "", offline: OfflineOption = False
) -> None:
    """Open positions with average price, mark, unrealised and realised P&L."""
    with open_account(invocation, refresh=not offline) as account:
        rows = account.positions(ticker=ticker)
        invocation.output.listing(
            "positions",
            rows,
            (
                Column("ticker", "market"),
                Column("subaccount", "subaccount", is_figure=True),
                Column("side", "side"),
                Column("quantity", "quantity", is_figure=True),
                Column("avg_price", "average", is_figure=True),
                Column("mark", "mark", is_figure=True),
                Column("unrealized_pnl", "unrealised", is_figure=True),
                Column("realized_pnl", "realised", is_figure=True),
                Column("fees", "fees", is_figure=True),
                Column("closes", "closes"),
            ),
            empty="No open positions.",
        )


def orders(
    invocation: Invocation,
    *,
    ticker: TickerOption = "",
    status: Annotated[str, typer.Option("--status", help="resting, canceled or executed.")] = "",
    limit: LimitOption = 50,
    offline: OfflineOption = False,
) -> None:
    """Orders, newest first."""
    with open_account(invocation, refresh=not offline) as account:
        invocation.output.listing(
            "orders",
            account.orders(ticker=ticker, status=status, limit=limit),
            (
                Column("created_at", "created"),
                Column("ticker", "market"),
                Column("side", "side"),
                Column("price", "YES price", is_figure=True),
                Column("initial_count", "quantity", is_figure=True),
                Column("fill_count", "filled", is_figure=True),
                Column("status", "status"),
                Column("fees", "fees", is_figure=True),
                Column("client_order_id", "client id"),
            ),
            empty="No orders.",
        )


def fills(
    invocation: Invocation,
    *,
    ticker: TickerOption = "",
    limit: LimitOption = 50,
    offline: OfflineOption = False,
) -> None:
    """Fills, newest first."""
    with open_account(invocation, refresh=not offline) as account:
        invocation.output.listing(
            "fills",
            account.fills(ticker=ticker, limit=limit),
            (
                Column("at", "time"),
                Column("ticker", "market"),
                Column("side", "side"),
                Column("count", "quantity", is_figure=True),
                Column("price", "YES price", is_figure=True),
                Column("fee", "fee", is_figure=True),
                Column("liquidity", "liquidity"),
                Column("order_id", "order"),
            ),
            empty="No fills.",
        )


def settlements(
    invocation: Invocation,
    *,
    ticker: TickerOption = "",
    limit: LimitOption = 50,
    offline: OfflineOption = False,
) -> None:
    """Settlements, newest first: what the books paid, REST's row and the report of FIX."""
    with open_account(invocation, refresh=not offline) as account:
        rows = account.settlements(ticker=ticker, limit=limit)
        by_fix = (
            Column("fix_payout", "by FIX", is_figure=True),
            Column("agree", "alike"),
        )
        invocation.output.listing(
            "settlements",
            rows,
            (
                Column("at", "settled"),
                Column("ticker", "market"),
                Column("result", "result"),
                Column("yes_count", "YES bought", is_figure=True),
                Column("no_count", "NO bought", is_figure=True),
                Column("payout", "payout", is_figure=True),
                Column("rest_revenue", "by REST", is_figure=True),
                *(by_fix if any(row["fix_payout"] is not None for row in rows) else ()),
                Column("profit_loss", "P&L after fees", is_figure=True),
                Column("fees", "fees", is_figure=True),
                Column("evidence", "rests on"),
            ),
            empty="No settlements.",
        )


def pnl(
    invocation: Invocation,
    *,
    by: ByOption = By.CATEGORY,
    days: Annotated[int, typer.Option("--days", min=0, help="Only the last so many days.")] = 0,
    offline: OfflineOption = False,
) -> None:
    """Realised and unrealised P&L and fees, by whatever you like to see."""
    with open_account(invocation, refresh=not offline) as account:
        lines, total = account.pnl(by=by, days=days)
        output = invocation.output
        output.result(
            {"by": by.value, "rows": [_pnl_row(line) for line in lines], "total": _pnl_row(total)}
        )
        output.table(
            [by.value, "realised", "fees", "net", "unrealised", "total", "open"],
            [list(_pnl_row(line).values()) for line in [*lines, total]],
            right=["realised", "fees", "net", "unrealised", "total", "open"],
        )
        if total.unmarked:
            output.notice(f"{total.unmarked} open positions have no quote and are not valued.")


def _pnl_row(line: PnlLine) -> dict[str, object]:
    return {
        "name": line.name,
        "realized": line.realized,
        "fees": line.fees,
        "net": line.net,
        "unrealized": line.unrealized,
        "total": line.total,
        "open_positions": line.open,
    }
