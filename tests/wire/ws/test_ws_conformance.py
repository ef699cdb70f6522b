"""The project's own table of the WebSocket: nothing in it may be without code.

Names of October 2026.  Left of the bar stand fields of the envelope, right of it
those of ``msg``; a dot leads into a list of objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_type_hints

import msgspec
import pytest

from trueup.wire.ws.channels import TRAITS, Channel, ErrorCode
from trueup.wire.ws.commands import Command, Params, read_command
from trueup.wire.ws.messages import TYPES

MESSAGES = {
    "subscribed": """
        id sending_ts_ms | channel sid
    """,
    "unsubscribed": """
        id sid seq sending_ts_ms |
    """,
    "ok": """
        id sid seq sending_ts_ms | index_ids underlying_tickers market_tickers market_ids
        channel sid
    """,
    "error": """
        id sid seq sending_ts_ms | code msg market_ticker market_tickers
    """,
    "cfbenchmarks_value": """
        sid seq sending_ts_ms | index_id received_at data avg_60s_data avg_60s_data.value
        avg_60s_data.window_size avg_60s_data.window_start_ts_ms
        avg_60s_data.window_end_ts_exclusive last_60s_windowed_average_15min
        last_60s_windowed_average_15min.value last_60s_windowed_average_15min.window_size
        last_60s_windowed_average_15min.window_start_ts_ms
        last_60s_windowed_average_15min.window_end_ts_exclusive
    """,
    "cfbenchmarks_value_indexlist": """
        id sid seq sending_ts_ms | index_ids
    """,
    "cfbenchmarks_value_5hz": """
        sid seq sending_ts_ms | index_id value_usd source_ts_ms received_at data
    """,
    "cfbenchmarks_value_5hz_indexlist": """
        id sid seq sending_ts_ms | index_ids
    """,
    "pyth_value": """
        sid seq sending_ts_ms | underlying_ticker value_usd source_ts_ms received_at
    """,
    "pyth_value_underlying_list": """
        id sid seq sending_ts_ms | underlying_tickers
    """,
    "orderbook_snapshot": """
        id sid seq sending_ts_ms | market_ticker market_id clock yes_dollars_fp
        no_dollars_fp
    """,
    "orderbook_delta": """
        sid seq sending_ts_ms | market_ticker market_id clock price_dollars delta_fp side
        client_order_id ts ts_ms subaccount
    """,
    "ticker": """
        sid sending_ts_ms | market_id market_ticker price_dollars yes_bid_dollars
        yes_ask_dollars volume_fp open_interest_fp dollar_volume dollar_open_interest
        yes_bid_size_fp yes_ask_size_fp last_trade_size_fp ts ts_ms time
    """,
    "trade": """
        sid seq sending_ts_ms | trade_id market_ticker yes_price_dollars no_price_dollars
        count_fp taker_side taker_outcome_side taker_book_side is_block_trade ts ts_ms
    """,
    "fill": """
        sid sending_ts_ms | trade_id order_id client_order_id market_ticker exchange_index
        is_taker side ts ts_ms yes_price_dollars count_fp fee_cost action post_position_fp
        purchased_side outcome_side book_side subaccount
    """,
    "market_lifecycle_v2": """
        sid seq sending_ts_ms | market_ticker exchange_index open_ts close_ts
        determination_ts settled_ts result settlement_value is_deactivated
        additional_metadata event_type price_level_structure price_ranges price_ranges.start
        price_ranges.end price_ranges.step strike_type floor_strike cap_strike custom_strike
        yes_sub_title
    """,
    "multivariate_market_lifecycle": """
        sid seq sending_ts_ms | market_ticker exchange_index open_ts close_ts
        determination_ts settled_ts result settlement_value is_deactivated
        additional_metadata event_type price_level_structure
    """,
    "event_lifecycle": """
        sid seq sending_ts_ms | event_ticker exchange_index title subtitle
        collateral_return_type series_ticker strike_date strike_period
    """,
    "event_fee_update": """
        sid seq sending_ts_ms | event_ticker fee_type_override fee_multiplier_override
    """,
    "market_position": """
        sid sending_ts_ms | user_id market_ticker position_fp position_cost_dollars
        realized_pnl_dollars fees_paid_dollars position_fee_cost_dollars volume_fp
        subaccount
    """,
    "order_group_updates": """
        sid seq sending_ts_ms | event_type order_group_id contracts_limit_fp ts_ms
    """,
    "user_order": """
        sid sending_ts_ms | order_id user_id ticker exchange_index status side is_yes
        outcome_side book_side yes_price_dollars fill_count_fp remaining_count_fp
        initial_count_fp taker_fill_cost_dollars maker_fill_cost_dollars taker_fees_dollars
        maker_fees_dollars client_order_id order_group_id self_trade_prevention_type
        created_time last_update_time expiration_time expiration_ts_ms created_ts_ms
        last_updated_ts_ms last_update_reason subaccount_number
    """,
    "rfq_created": """
        sid seq sending_ts_ms | id creator_id market_ticker event_ticker contracts_fp
        target_cost_dollars created_ts mve_collection_ticker mve_selected_legs
        mve_selected_legs.event_ticker mve_selected_legs.market_ticker
        mve_selected_legs.side mve_selected_legs.yes_settlement_value_dollars
    """,
    "rfq_deleted": """
        sid seq sending_ts_ms | id creator_id market_ticker event_ticker contracts_fp
        target_cost_dollars deleted_ts
    """,
    "quote_created": """
        sid seq sending_ts_ms | quote_id rfq_id quote_creator_id rfq_creator_id
        market_ticker event_ticker yes_bid_dollars no_bid_dollars yes_contracts_offered_fp
        no_contracts_offered_fp rfq_target_cost_dollars created_ts subaccount
    """,
    "quote_accepted": """
        sid seq sending_ts_ms | quote_id rfq_id quote_creator_id rfq_creator_id
        market_ticker event_ticker yes_bid_dollars no_bid_dollars accepted_side
        contracts_accepted_fp yes_contracts_offered_fp no_contracts_offered_fp
        rfq_target_cost_dollars subaccount
    """,
    "quote_executed": """
        sid seq sending_ts_ms | quote_id rfq_id quote_creator_id rfq_creator_id order_id
        client_order_id market_ticker executed_ts subaccount rfq_batch_id
    """,
    "rfq_batch_created": """
        sid seq sending_ts_ms | id creator_id created_ts legs legs.event_ticker
        legs.market_ticker legs.side legs.yes_settlement_value_dollars rfqs rfqs.id
        rfqs.market_ticker rfqs.event_ticker rfqs.contracts_fp rfqs.target_cost_dollars
        rfqs.mve_collection_ticker rfqs.leg_indices
    """,
    "rfq_batch_deleted": """
        sid seq sending_ts_ms | id creator_id rfq_ids deleted_ts
    """,
    "batch_quote_created": """
        sid seq sending_ts_ms | batch_quote_id rfq_batch_id quote_creator_id created_ts
        quotes quotes.quote_id quotes.rfq_id quotes.market_ticker quotes.event_ticker
        quotes.yes_bid_dollars quotes.no_bid_dollars quotes.yes_contracts_offered_fp
        quotes.no_contracts_offered_fp quotes.rfq_target_cost_dollars subaccount
    """,
    "rfq_batch_best_quotes": """
        sid seq sending_ts_ms | rfq_batch_id client_batch_id version updated_ts yes_complete
        no_complete rfqs rfqs.rfq_id rfqs.market_ticker rfqs.event_ticker
        rfqs.yes_bid_dollars rfqs.no_bid_dollars rfqs.contracts_fp
        rfqs.yes_contracts_offered_fp rfqs.no_contracts_offered_fp
        rfqs.rfq_target_cost_dollars subaccount
    """,
    "batch_quote_accepted": """
        sid seq sending_ts_ms | batch_quote_id rfq_batch_id quote_creator_id rfq_creator_id
        accepted_side accepted_ts quotes quotes.quote_id quotes.rfq_id quotes.market_ticker
        quotes.event_ticker quotes.yes_bid_dollars quotes.no_bid_dollars
        quotes.contracts_accepted_fp quotes.yes_contracts_offered_fp
        quotes.no_contracts_offered_fp quotes.rfq_target_cost_dollars subaccount
    """,
    "rfq_batch_executed": """
        sid seq sending_ts_ms | rfq_batch_id client_batch_id rfq_creator_id executed_rfq_ids
        failed_rfq_ids executed_ts close_reason subaccount
    """,
    "batch_quote_executed": """
        sid seq sending_ts_ms | batch_quote_id rfq_batch_id rfq_creator_id executed_rfq_ids
        failed_rfq_ids executed_ts close_reason subaccount
    """,
}

COMMANDS = {
    "subscribe": """
        channels market_ticker market_tickers market_id market_ids send_initial_snapshot
        skip_ticker_ack use_yes_price user_filter shard_factor shard_key index_ids
        underlying_tickers
    """,
    "unsubscribe": """
        sids
    """,
    "update_subscription": """
        sid sids market_ticker market_tickers market_id market_ids send_initial_snapshot
        action index_ids underlying_tickers
    """,
    "list_subscriptions": """

    """,
}

CHANNELS = """
    orderbook_delta ticker trade fill market_positions market_lifecycle_v2
    multivariate_market_lifecycle communications order_group_updates user_orders
    cfbenchmarks_value cfbenchmarks_value_5hz pyth_value
"""

ERRORS = "1 2 3 4 5 7 8 9 10 11 12 13 14 15 18 19 20 21 22 23 24 25 26 27 28"


def structs(hint: object) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for part in get_args(hint):
        yield from structs(part)


def has(kind: type[msgspec.Struct], name: str) -> bool:
    first, _, rest = name.partition(".")
    if first not in kind.__struct_encode_fields__:
        return False
    return not rest or any(has(one, rest) for one in structs(get_type_hints(kind)[first]))


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_message_and_field_has_code(kind: str) -> None:
    outside, _, inside = MESSAGES[kind].partition("|")
    struct = TYPES[kind]
    bodies = list(structs(get_type_hints(struct).get("msg")))

    assert [one for one in outside.split() if not has(struct, one)] == []
    assert [one for one in inside.split() if not any(has(body, one) for body in bodies)] == []


def test_there_is_no_message_beyond_the_table() -> None:
    assert set(TYPES) == set(MESSAGES)


@pytest.mark.parametrize("cmd", COMMANDS)
def test_every_command_and_parameter_has_code(cmd: str) -> None:
    assert set(COMMANDS[cmd].split()) <= set(Params.__struct_encode_fields__)
    assert read_command(f'{{"id":1,"cmd":"{cmd}"}}') == Command(id=1, cmd=cmd)


def test_every_channel_and_error_has_code() -> None:
    assert {one.value for one in Channel} == set(CHANNELS.split()) == {one.value for one in TRAITS}
    assert {int(one) for one in ERRORS.split()} == set(ErrorCode)
