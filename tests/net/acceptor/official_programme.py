"""What a program of the official Python SDK does in a day; prints what it saw as JSON.

    python official_programme.py HOST KEY_ID KEY_FILE TICKER

Runs under the interpreter that the SDK is installed for, so it knows nothing of
this project.  The SDK of 2025 has the first order API, the present one the second.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def client_of(sdk: Any, host: str, key_id: str, key_file: str) -> Any:
    configuration = sdk.Configuration(host=host)
    configuration.api_key_id = key_id
    configuration.private_key_pem = Path(key_file).read_text(encoding="utf-8")
    return sdk.KalshiClient(configuration)


def refusal_of(sdk: Any, call: Any, *args: Any, **values: Any) -> int:
    try:
        call(*args, **values)
    except sdk.ApiException as error:
        return int(error.status)
    return 0


def order_as_of_today(sdk: Any, client: Any, ticker: str, seen: dict[str, Any]) -> None:
    terms = {
        "ticker": ticker,
        "side": "bid",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    resting = client.create_order_v2(
        **terms, price="0.4500", count="2.00", client_order_id="resting"
    )
    seen["remaining"] = resting.remaining_count
    seen["taken back"] = client.cancel_order_v2(resting.order_id, market_ticker=ticker).reduced_by
    taken = client.create_order_v2(**terms, price="0.5200", count="2.00", client_order_id="taking")
    seen["filled"], seen["order"] = taken.fill_count, taken.order_id
    seen["same name again"] = refusal_of(
        sdk,
        client.create_order_v2,
        **terms,
        price="0.4500",
        count="1.00",
        client_order_id="resting",
    )
    seen["unknown order"] = refusal_of(sdk, client.cancel_order_v2, "00000000-0000-0000")
    seen["group"] = bool(client.create_order_group(contracts_limit=5).order_group_id)


def order_as_in_2025(sdk: Any, client: Any, ticker: str, seen: dict[str, Any]) -> None:
    terms = {"ticker": ticker, "side": "yes", "action": "buy", "count": 2}
    resting = client.create_order(**terms, yes_price=45, client_order_id="resting").order
    seen["remaining"] = resting.remaining_count
    seen["taken back"] = client.cancel_order(resting.order_id).reduced_by
    taken = client.create_order(**terms, yes_price=52, client_order_id="taking").order
    seen["filled"], seen["order"] = taken.fill_count, taken.order_id
    seen["same name again"] = refusal_of(
        sdk, client.create_order, **terms, yes_price=45, client_order_id="resting"
    )
    seen["unknown order"] = refusal_of(sdk, client.cancel_order, "00000000-0000-0000")


def main(host: str, key_id: str, key_file: str, ticker: str) -> None:
    import kalshi_python_sync as sdk  # noqa: PLC0415  # where it is installed is the question

    client = client_of(sdk, host, key_id, key_file)
    is_old = sdk.__version__.startswith("3.2.")
    seen: dict[str, Any] = {"version": sdk.__version__}
    seen["trading"] = client.get_exchange_status().trading_active
    first = client.get_markets(limit=1)
    second = client.get_markets(limit=1, cursor=first.cursor)
    seen["markets"] = sorted(one.ticker for one in (*first.markets, *second.markets))
    seen["last cursor"] = second.cursor
    market = client.get_market(ticker).market
    seen["bid"], seen["ask"] = market.yes_bid_dollars, market.yes_ask_dollars
    book = client.get_market_orderbook(ticker)
    levels = book.orderbook if is_old else book.orderbook_fp
    seen["best bid"] = levels.yes_dollars[-1]
    seen["events"] = len(client.get_events(limit=5).events)
    before = client.get_balance().balance
    (order_as_in_2025 if is_old else order_as_of_today)(sdk, client, ticker, seen)
    seen["spent"] = before - client.get_balance().balance
    seen["orders"] = {one.order_id: one.status.value for one in client.get_orders().orders}
    (fill,) = client.get_fills(limit=5).fills
    seen["fill of"] = fill.order_id
    (position,) = client.get_positions(limit=5).market_positions
    seen["position"] = position.position if is_old else position.position_fp
    seen["trades"] = len(client.get_trades(ticker=ticker).trades)
    seen["settlements"] = len(client.get_settlements(limit=5).settlements)
    seen["keys"] = [one.api_key_id for one in client.get_api_keys().api_keys]
    print(json.dumps(seen))  # noqa: T201  # the answer


if __name__ == "__main__":
    main(*sys.argv[1:5])
