"""The operations of the exchange itself."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(name="GetExchangeStatus", template="/exchange/status", signed=False),
    Operation(
        name="GetSeriesFeeChanges",
        template="/series/fee_changes",
        query=("series_ticker", "show_historical"),
        signed=False,
    ),
    Operation(name="GetExchangeSchedule", template="/exchange/schedule", signed=False),
    Operation(name="GetUserDataTimestamp", template="/exchange/user_data_timestamp", signed=False),
)
