"""`order`, `arm` and `disarm`: trading by hand, shown before it is sent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from trueup.cli.common import Invocation, LiveOption, SandboxWorld, command, lead
from trueup.cli.output import moment
from trueup.cli.sending import DryOption, send, trading_desk
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
    amendment_of,
    cancellation_of,
    preview_amend,
    preview_cancel,
    preview_cancel_all,
    preview_decrease,
    preview_place,
)

OrderIdArgument = Annotated[str, typer.Argument(help="The exchange's id of the order.")]
SubaccountOption = Annotated[
    int | None, typer.Option("--subaccount", help="0 is the primary one.", min=0, max=63)
]


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
        help="Orders, at the venue of the config (by itself the sandbox) unless --venue says.",
        no_args_is_help=True,
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
    with trading_desk(invocation, live=live) as desk:
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
        send(invocation, desk, preview_place(order), lambda: desk.place(order), dry_run=dry_run)


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
    with trading_desk(invocation, live=live) as desk:
        order = desk.order(OrderId(order_id))
        price = Price.parse(yes_price) if yes_price else order.price
        rest = Count.parse(resting) if resting else order.remaining_count
        send(
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
    with trading_desk(invocation, live=live) as desk:
        order = desk.order(OrderId(order_id))
        decreased = Decrease(
            order_id=order.order_id,
            by=Count.parse(by) if by else None,
            to=Count.parse(to) if to else None,
            ticker=order.ticker,
            subaccount=order.subaccount,
        )
        send(
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
    with trading_desk(invocation, live=live) as desk:
        order = desk.order(OrderId(order_id))
        preview = preview_cancel(cancellation_of(order))
        send(invocation, desk, preview, lambda: desk.cancel(order), dry_run=dry_run)


def cancel_all(
    invocation: Invocation,
    *,
    subaccount: SubaccountOption = None,
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Take all resting orders back, on every shard, and look that nothing rests any more."""
    only = None if subaccount is None else Subaccount(subaccount)
    with trading_desk(invocation, live=live) as desk:
        preview = preview_cancel_all(only)
        send(invocation, desk, preview, lambda: desk.cancel_all(only), dry_run=dry_run)


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
