"""`order`, `arm` and `disarm`: trading by hand, shown before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from trueup.cli.common import Invocation, SandboxWorld, command, lead, listening
from trueup.cli.output import moment
from trueup.core.errors import CallerError
from trueup.core.ids import ClientOrderId, OrderGroupId, OrderId, Subaccount, Ticker
from trueup.core.instant import SECOND, parse_instant
from trueup.core.order_entry import Decrease, NewOrder
from trueup.core.orders import Action, SelfTradePrevention, Side, TimeInForce, quoted
from trueup.core.units import Count, Price
from trueup.run.arming import ARMED_FOR, arm, disarm
from trueup.run.bot.practice import practices
from trueup.run.schedule import parse_interval
from trueup.run.trading import (
    Done,
    TradingDesk,
    amendment_of,
    cancellation_of,
    preview_amend,
    preview_cancel,
    preview_cancel_all,
    preview_decrease,
    preview_place,
)
from trueup.run.views import Row

OrderIdArgument = Annotated[str, typer.Argument(help="The exchange's id of the order.")]
SubaccountOption = Annotated[
    int | None, typer.Option("--subaccount", help="0 is the primary one.", min=0, max=63)
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="One of the three gates for real orders on prod.")
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Show the request, send nothing.")]


class Life(StrEnum):
    """How long an order lives, in three letters."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


_LIVES = {
    Life.GTC: TimeInForce.GOOD_TILL_CANCELED,
    Life.IOC: TimeInForce.IMMEDIATE_OR_CANCEL,
    Life.FOK: TimeInForce.FILL_OR_KILL,
}


def register(app: typer.Typer) -> None:
    """Add the commands that trade."""
    group = typer.Typer(
        help="Orders. On the sandbox unless --venue says otherwise.", no_args_is_help=True
    )
    command(group, "place")(place)
    command(group, "amend")(amend)
    command(group, "decrease")(decrease)
    command(group, "cancel")(cancel)
    command(group, "cancel-all")(cancel_all)
    app.add_typer(group, name="order")
    command(app, "arm")(arm_account)
    command(app, "disarm")(disarm_account)


def place(
    invocation: Invocation,
    *,
    action: Annotated[Action, typer.Argument(help="buy or sell.")],
    count: Annotated[str, typer.Argument(help="Contracts, e.g. 10 or 2.50.")],
    outcome: Annotated[Side, typer.Argument(help="yes or no.")],
    ticker: Annotated[str, typer.Argument(help="The market.")],
    price: Annotated[str, typer.Argument(help="Dollars for the named outcome, e.g. 0.56.")],
    life: Annotated[
        Life, typer.Option("--tif", help="Good till cancelled, or only for this moment.")
    ] = Life.GTC,
    expires: Annotated[str, typer.Option("--expires", help="When it ends, RFC 3339.")] = "",
    post_only: Annotated[
        bool, typer.Option("--post-only", help="Refuse it rather than trade at once.")
    ] = False,
    reduce_only: Annotated[
        bool, typer.Option("--reduce-only", help="Never more than closes the position; needs ioc.")
    ] = False,
    self_trade: Annotated[
        SelfTradePrevention,
        typer.Option("--self-trade", help="Which of two own orders gives way."),
    ] = SelfTradePrevention.TAKER_AT_CROSS,
    group: Annotated[str, typer.Option("--group", help="The order group.")] = "",
    client_order_id: Annotated[
        str, typer.Option("--client-order-id", help="Our own name for it; random otherwise.")
    ] = "",
    subaccount: SubaccountOption = None,
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Place an order: trueup order place buy 10 yes TICKER 0.56."""
    side, yes_price = quoted(action, outcome, Price.parse(price))
    with _desk(invocation, live=live) as desk:
        order = NewOrder(
            ticker=Ticker(ticker),
            side=side,
            count=Count.parse(count),
            price=yes_price,
            client_order_id=ClientOrderId(client_order_id or desk.new_client_order_id()),
            time_in_force=_LIVES[life],
            self_trade_prevention=self_trade,
            expires_at=parse_instant(expires) if expires else None,
            post_only=post_only,
            reduce_only=reduce_only,
            group_id=OrderGroupId(group) if group else None,
            subaccount=None if subaccount is None else Subaccount(subaccount),
        )
        _send(invocation, desk, preview_place(order), lambda: desk.place(order), dry_run=dry_run)


def amend(
    invocation: Invocation,
    order_id: OrderIdArgument,
    *,
    yes_price: Annotated[
        str, typer.Option("--yes-price", help="The new YES price in dollars; kept otherwise.")
    ] = "",
    resting: Annotated[
        str, typer.Option("--resting", help="How many contracts shall rest; kept otherwise.")
    ] = "",
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Change the price or the resting count of an order."""
    if not yes_price and not resting:
        raise CallerError("nothing to change", remedy="Give --yes-price, --resting, or both.")
    with _desk(invocation, live=live) as desk:
        order = desk.order(OrderId(order_id))
        price = Price.parse(yes_price) if yes_price else order.price
        rest = Count.parse(resting) if resting else order.remaining_count
        _send(
            invocation,
            desk,
            preview_amend(amendment_of(order, price=price, resting=rest)),
            lambda: desk.amend(order, price=price, resting=rest),
            dry_run=dry_run,
        )


def decrease(
    invocation: Invocation,
    order_id: OrderIdArgument,
    *,
    by: Annotated[str, typer.Option("--by", help="So many contracts less.")] = "",
    to: Annotated[str, typer.Option("--to", help="Down to so many contracts.")] = "",
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Take contracts off a resting order; it keeps its place in the queue."""
    with _desk(invocation, live=live) as desk:
        order = desk.order(OrderId(order_id))
        decreased = Decrease(
            order_id=order.order_id,
            by=Count.parse(by) if by else None,
            to=Count.parse(to) if to else None,
            ticker=order.ticker,
            subaccount=order.subaccount,
        )
        _send(
            invocation,
            desk,
            preview_decrease(decreased),
            lambda: desk.decrease(decreased),
            dry_run=dry_run,
        )


def cancel(
    invocation: Invocation,
    order_id: OrderIdArgument,
    *,
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Take a resting order back."""
    with _desk(invocation, live=live) as desk:
        order = desk.order(OrderId(order_id))
        preview = preview_cancel(cancellation_of(order))
        _send(invocation, desk, preview, lambda: desk.cancel(order), dry_run=dry_run)


def cancel_all(
    invocation: Invocation,
    *,
    subaccount: SubaccountOption = None,
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Take all resting orders back, on every shard, and look that nothing rests any more."""
    only = None if subaccount is None else Subaccount(subaccount)
    with _desk(invocation, live=live) as desk:
        preview = preview_cancel_all(only)
        _send(invocation, desk, preview, lambda: desk.cancel_all(only), dry_run=dry_run)


def arm_account(
    invocation: Invocation,
    *,
    duration: Annotated[
        str, typer.Option("--for", help="How long, from 1m to 24h (default: 1h).")
    ] = "",
) -> None:
    """Let orders of this account go to the production exchange, for a while."""
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    microseconds = parse_interval(duration) * SECOND if duration else ARMED_FOR
    until = arm(settings, microseconds=microseconds)
    config, output = settings.config, invocation.output
    found = practices(settings.home, config.account)
    caps = config.first_hours
    output.result(
        {
            "armed": True,
            "until": moment(until),
            "practice": [
                {
                    "venue": each.venue,
                    "mode": each.mode,
                    "days": len(each.days),
                    "clean_days": each.clean,
                    "notes": each.notes,
                }
                for each in found
            ],
            "first_hours": {
                "hours": caps.hours,
                "order_count_max": caps.order_count_max,
                "exposure_max": caps.exposure_max,
            },
        }
    )
    output.say(f"Armed until {moment(until)}. `trueup disarm` takes it back.")
    output.say("Practised so far:")
    for each in found:
        output.say(f"  {each.words}")
        for note in each.notes:
            output.notice(note)
    if not any(each.clean for each in found):
        output.say("There is no day with a clean proof anywhere: practise first.", style="yellow")
    if caps.hours:
        output.say(
            f"In its first {caps.hours} hours with real money a bot may send {caps.order_count_max} "
            f"contracts an order and tie up ${caps.exposure_max}."
        )


def disarm_account(invocation: Invocation) -> None:
    """Take the arming back."""
    existed = disarm(lead(invocation, world=SandboxWorld.BUILT_IN))
    invocation.output.result({"armed": False, "was_armed": existed})
    invocation.output.say("Disarmed." if existed else "It was not armed.")


@contextmanager
def _desk(invocation: Invocation, *, live: bool) -> Generator[TradingDesk]:
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    with (
        listening(invocation, settings) as hear,
        TradingDesk(settings, live=live, on_event=hear) as desk,
    ):
        if settings.is_embedded:
            invocation.output.notice(
                "The built-in sandbox forgets its orders when this command ends; "
                "`trueup sandbox serve` is one that stays."
            )
        yield desk


def _send(
    invocation: Invocation,
    desk: TradingDesk,
    preview: Row,
    act: Callable[[], Done],
    *,
    dry_run: bool,
) -> None:
    """Show the request; send it where that is wanted and every gate is open."""
    output = invocation.output
    output.say(f"{preview['method']} {preview['path']}", style="bold")
    for name in ("query", "body"):
        if preview[name]:
            output.say(f"  {name}: {preview[name]}", style="dim")
    closed = [gate for gate in desk.gates if not gate.is_open]
    if dry_run or closed:
        output.say("Nothing was sent." if closed else "Nothing was sent (--dry-run).")
        for gate in closed:
            output.say(f"  {gate.name}: {gate.remedy}")
        output.result(
            {
                "sent": False,
                "request": preview,
                "closed_gates": [{"name": gate.name, "remedy": gate.remedy} for gate in closed],
            }
        )
        invocation.exit_code = 1 if closed and not dry_run else 0
        return
    done = act()
    output.say(done.words)
    output.result({"sent": True, "request": preview, "result": done.row, "words": done.words})
    invocation.exit_code = 0 if done.ok else 1
