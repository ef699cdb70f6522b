"""The communications section, second part: requests for several combos at once."""

from __future__ import annotations

from trueup.core.ids import Subaccount
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import request
from trueup.wire.rest.rfqs import SELF
from trueup.wire.rest.rows import rfqs as rows
from trueup.wire.rest.rows.rfqs import (
    BatchAcceptance,
    BatchAccepted,
    BatchQuote,
    BestQuotes,
    NewBatchQuote,
    NewRfqBatch,
    RfqBatch,
)


def batches(
    *,
    status: str = "",
    mine: bool = False,
    subaccount: Subaccount | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[RfqBatch]]:
    """Batches of everybody, or only `mine`.  `status` is ``open``, ``accepted`` or ``closed``."""
    return request(
        "GetRFQBatches",
        rows.RFQ_BATCH.pages("rfq_batches"),
        query={
            "status": status,
            "user_filter": SELF if mine else "",
            "subaccount": subaccount,
            "limit": limit,
            "cursor": cursor,
        },
    )


def batch(batch_id: str) -> Call[RfqBatch]:
    """One batch with its requests."""
    return request("GetRFQBatch", rows.RFQ_BATCH.answer("rfq_batch"), path=_of(batch_id))


def create(new: NewRfqBatch) -> Call[RfqBatch]:
    """Ask for quotes on several combos.  At most two batches may be open."""
    return request(
        "CreateRFQBatch",
        rows.RFQ_BATCH.answer("rfq_batch"),
        body=write_body(rows.NEW_RFQ_BATCH, new),
    )


def delete(batch_id: str) -> Call[None]:
    """Take a batch back."""
    return request("DeleteRFQBatch", nothing(), path=_of(batch_id))


def best_quotes(batch_id: str) -> Call[BestQuotes]:
    """The best bid of all makers for each combo of a batch."""
    return request(
        "GetRFQBatchBestQuotes", rows.BEST_QUOTES.answer("best_quotes"), path=_of(batch_id)
    )


def accept(batch_id: str, acceptance: BatchAcceptance) -> Call[BatchAccepted]:
    """Take the best bids for all combos of a batch, each no lower than its limit."""
    return request(
        "AcceptRFQBatch",
        rows.BATCH_ACCEPTED.answer(),
        path=_of(batch_id),
        body=write_body(rows.BATCH_ACCEPTANCE, acceptance),
    )


def quotes(batch_id: str) -> Call[tuple[BatchQuote, ...]]:
    """The quotes for a batch that we may see."""
    return request(
        "GetRFQBatchQuotes", rows.BATCH_QUOTE.answers("batch_quotes"), path=_of(batch_id)
    )


def create_quote(batch_id: str, new: NewBatchQuote) -> Call[str]:
    """Quote for every combo of a batch; gives the id of the batch quote."""
    return request(
        "CreateRFQBatchQuote",
        rows.CREATED.answer().then(lambda created: created.id),
        path=_of(batch_id),
        body=write_body(rows.NEW_BATCH_QUOTE, new),
    )


def delete_quote(batch_id: str, batch_quote_id: str) -> Call[None]:
    """Take a batch quote back."""
    path = _of(batch_id) | {"batch_quote_id": batch_quote_id}
    return request("DeleteRFQBatchQuote", nothing(), path=path)


def confirm_quote(batch_id: str, batch_quote_id: str) -> Call[None]:
    """Stand by a batch quote that was accepted."""
    path = _of(batch_id) | {"batch_quote_id": batch_quote_id}
    return request("ConfirmRFQBatchQuote", nothing(), path=path)


def _of(batch_id: str) -> dict[str, str]:
    return {"rfq_batch_id": batch_id}
