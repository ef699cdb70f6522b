"""The projections: tables that are made from the journal and can be made again.

Two kinds: *typed* rows, one per record of the exchange (its latest version, or
the merged view of an order), and the *books*, one set of entries per market of
a subaccount.  Such a market has a number, its `book`: the journal sequence of
the first fact about it, so that a rebuild gives the same numbers.
"""

from __future__ import annotations

from sqlalchemy import Column, Index
from sqlalchemy import text as sql_text

from trueup.store.schema import COUNT, INSTANT, MONEY, PRICE, PROJECTED, number, scope, table, text

__all__ = ["PROJECTED"]
"""Whoever wants the projections takes them from here, where their tables are described."""


def _kept(*, keyed: bool, primary: bool = False) -> tuple[Column[int] | Column[str], ...]:
    """The columns that say where a typed row comes from."""
    book = (number("book", "the market of the subaccount: market_keys.book"),)
    return (
        *(book if keyed else ()),
        number("id", "journal sequence of the first version", primary_key=primary),
        number("sequence", "journal sequence of this version"),
        number("version", "how many versions were seen"),
        text("source", "where this version came from"),
        number("observed_at", f"when this version was seen, {INSTANT}"),
    )


market_keys = table(
    PROJECTED,
    "market_keys",
    number("book", "journal sequence of the first fact", primary_key=True),
    number("subaccount", "0 is the primary account"),
    text("ticker", "the market"),
    Index("market_keys_identity", "ticker", "subaccount", unique=True),
    comment="The markets that each subaccount ever touched.",
)

dirty = table(
    PROJECTED,
    "dirty",
    number("book", "what is to be booked again; negative: a cash fact", primary_key=True),
    number("marked", "journal sequence of the newest reason"),
    comment="What is still to be booked. Empty when the books are up to date.",
)

fills = table(
    PROJECTED,
    "fills",
    *_kept(keyed=True, primary=True),
    text("trade_id", "the exchange's trade"),
    text("order_id", "our order"),
    text("ticker", "the market"),
    text("side", "yes: YES contracts were added; no: NO added or YES taken away"),
    number("count", COUNT),
    number("price", PRICE),
    number("fee", f"{MONEY}; null: not stated", null=True),
    number("is_taker", "1: our order took liquidity"),
    number("at", INSTANT),
    *scope(shard_known=False),
    Index("fills_book", "book"),
    Index("fills_at", "at", "id"),
    comment="Every fill of our orders.",
)

settlements = table(
    PROJECTED,
    "settlements",
    *_kept(keyed=True, primary=True),
    text("ticker", "the market"),
    text("event_ticker", "its event"),
    text("result", "yes, no, scalar"),
    number("yes_count", f"gross YES contracts bought, {COUNT}"),
    number("no_count", f"gross NO contracts bought, {COUNT}"),
    number("yes_cost", MONEY),
    number("no_cost", MONEY),
    number("revenue", f"payout as stated, whole cents, {MONEY}"),
    number("trade_fees", f"fees of the fills, repeated, {MONEY}"),
    number("value", f"what one YES paid as stated, {PRICE}; null: not stated", null=True),
    number("at", INSTANT),
    *scope(shard_known=False),
    Index("settlements_book", "book"),
    comment="Every settlement row of the exchange.",
)

orders = table(
    PROJECTED,
    "orders",
    *_kept(keyed=False),
    text("order_id", "the exchange's order", primary_key=True),
    text("client_order_id", "our own name for it"),
    text("ticker", "the market"),
    text("side", "yes (bid) or no (ask)"),
    text("status", "resting, canceled, executed"),
    number("price", PRICE),
    number("initial_count", COUNT),
    number("fill_count", COUNT),
    number("remaining_count", COUNT),
    number("taker_fees", MONEY),
    number("maker_fees", MONEY),
    number("taker_fill_cost", MONEY),
    number("maker_fill_cost", MONEY),
    number("created_at", INSTANT),
    number("updated_at", INSTANT),
    *scope(),
    Index("orders_updated", "updated_at", "order_id"),
    Index("orders_status", "status", "updated_at", "order_id"),
    Index("orders_ticker", "ticker", "updated_at", "order_id"),
    comment="Every order, merged from all reports: a terminal state wins, fills only grow.",
)

banking = table(
    PROJECTED,
    "banking",
    *_kept(keyed=False, primary=True),
    text("stream", "deposits or withdrawals"),
    text("banking_id", "the exchange's id"),
    number("amount", f"deposit > 0, withdrawal < 0, {MONEY}"),
    number("fee", MONEY),
    text("status", "pending, applied, failed, returned"),
    text("method", "ach, wire, …"),
    number("created_at", INSTANT),
    number("at", f"time of the status, {INSTANT}"),
    comment="Deposits and withdrawals.",
)

transfers = table(
    PROJECTED,
    "transfers",
    *_kept(keyed=False, primary=True),
    text("stream", "transfers or shard_transfers"),
    text("transfer_id", "the exchange's id"),
    number("amount", f"leaves the first, reaches the second, {MONEY}"),
    number("from_subaccount", "from"),
    number("to_subaccount", "to"),
    number("from_shard", "from"),
    number("to_shard", "to"),
    text("status", "pending, complete, failed"),
    number("at", INSTANT),
    comment="Cash moved between subaccounts or shards.",
)

openings = table(
    PROJECTED,
    "openings",
    *_kept(keyed=False, primary=True),
    number("cash", MONEY),
    number("at", INSTANT),
    *scope(),
    text("note", "the operator's words"),
    comment="Opening balances that the operator has stated.",
)

balances = table(
    PROJECTED,
    "balances",
    *_kept(keyed=False, primary=True),
    number("low", f"cash available is at least this, {MONEY}"),
    number("high", f"and at most this, {MONEY}"),
    number("portfolio_value", f"value of the positions, {MONEY}", null=True),
    number("subaccount", "null: all of them", null=True),
    number("shard", "null: all of them", null=True),
    number("at", f"the exchange's own time of the figure, {INSTANT}"),
    number("read_at", f"when it was read, {INSTANT}"),
    Index("balances_pot", "subaccount", "shard", "read_at", "at", "id"),
    comment="Every balance reading.",
)

position_statements = table(
    PROJECTED,
    "position_statements",
    *_kept(keyed=False),
    text("ticker", "the market", primary_key=True),
    number("net", f"+ YES, - NO, {COUNT}"),
    number("exposure", MONEY),
    number("realized", MONEY),
    number("fees_paid", MONEY),
    number("total_traded", MONEY),
    number("updated_at", INSTANT),
    number("subaccount", "whose", primary_key=True),
    number("shard", "the exchange's exchange_index"),
    comment="Positions as the exchange stated them last (ours are in positions).",
)

markets = table(
    PROJECTED,
    "markets",
    *_kept(keyed=False),
    text("ticker", "the market", primary_key=True),
    text("event_ticker", "its event"),
    text("status", "active, closed, determined, finalized, …"),
    text("result", "yes, no, scalar; null: not determined", null=True),
    number("settlement_value", f"what one YES pays, {PRICE}", null=True),
    number("close_at", INSTANT, null=True),
    number("settled_at", INSTANT, null=True),
    number("shard", "the exchange's exchange_index"),
    comment="What the exchange said last about the life of each market.",
)

settlement_pages = table(
    PROJECTED,
    "settlement_pages",
    *_kept(keyed=False, primary=True),
    text("session", "the FIX session and the key that it came to"),
    text("ticker", "the market"),
    text("clearing_date", "Eastern date"),
    text("report_id", "of this page alone"),
    number("announced", "how many pages there are in all; null: not said", null=True),
    number("is_last", "1: the last page"),
    text("result", "yes, no, scalar"),
    number("value", f"what one YES paid, {PRICE}; null: not stated", null=True),
    number("parties", "how many parties are on it"),
    number("at", f"when the exchange sent it first, {INSTANT}"),
    number("is_resent", "1: it came only when it was asked for again"),
    Index("settlement_pages_market", "ticker", "clearing_date"),
    comment="Every page of a settlement report that FIX told.",
)

settlement_reports = table(
    PROJECTED,
    "settlement_reports",
    number("book", "market_keys.book; null: the party is nobody's", null=True),
    number("subaccount", "of the party, as configured; null: it is nobody's", null=True),
    number("paid", f"the payout in dollars, after fees, {MONEY}; null: not stated", null=True),
    number("fee", f"all settlement fees, {MONEY}"),
    text("doubt", "why its own figures do not fit together; null: they do", null=True),
    *_kept(keyed=False, primary=True),
    text("clearing_date", "Eastern date"),
    text("ticker", "the market"),
    text("party", "the exchange's name of the account"),
    text("result", "yes, no, scalar"),
    number("value", f"what one YES paid, {PRICE}; null: not stated", null=True),
    number("long", f"YES held, {COUNT}; null: not stated", null=True),
    number("short", f"NO held, {COUNT}; null: not stated", null=True),
    number("payout", "1704 as stated, in millionths of its unit; null: not stated", null=True),
    text("fees", "JSON list of [kind, micro-dollars]"),
    number("at", f"when the exchange sent it first, {INSTANT}"),
    Index("settlement_reports_book", "book"),
    Index("settlement_reports_day", "clearing_date"),
    comment="What FIX reported that each party was paid.",
)

entries = table(
    PROJECTED,
    "entries",
    number("book", "market_keys.book; negative: a cash fact", primary_key=True),
    number("number", "order within the book, from 1", primary_key=True),
    text("stream", "the booked fact: journal.stream"),
    text("key", "the booked fact: journal.key"),
    number("version", "the booked fact: journal.version"),
    text("kind", "fill, settlement, deposit, withdrawal, transfer, opening, reversal"),
    number("at", f"when the money moved, {INSTANT}"),
    *scope(),
    text("ticker", "the market; null: none", null=True),
    text("strategy", "the strategy tag; may be empty"),
    text("evidence", "what a payout rests on"),
    text("legs", "JSON list of [account, money, contracts]; the view postings unfolds it"),
    number("cash", f"change of cash, {MONEY}"),
    number("realized", f"gain realised by this entry, before fees, {MONEY}"),
    number("fees", f"fees booked by this entry, {MONEY}"),
    number("profit", f"P&L attributed to this fill: see the page on tables, {MONEY}"),
    Index("entries_at", "at", "book", "number"),
    comment="The ledger's entries; the view postings lists their legs.",
    clustered=True,
)

positions = table(
    PROJECTED,
    "positions",
    number("book", "market_keys.book", primary_key=True),
    *scope(),
    text("ticker", "the market"),
    text("event_ticker", "its event; null: unknown", null=True),
    number("net", f"contracts held, + YES, - NO, {COUNT}"),
    number("cost", f"what they cost, {MONEY}"),
    number("realized", f"realised P&L before fees, {MONEY}"),
    number("fees", f"trading fees, {MONEY}"),
    number("payout", f"paid at settlement, {MONEY}"),
    number("total_traded", f"paid in by all fills, {MONEY}"),
    number("yes_bought", f"gross, {COUNT}"),
    number("no_bought", f"gross, {COUNT}"),
    number("yes_cost", f"gross, {MONEY}"),
    number("no_cost", f"gross, {MONEY}"),
    number("settled", "1: the market has paid out"),
    number("last_at", f"the last fact, {INSTANT}"),
    number("settlement_gain", f"payout minus cost; part of realized, {MONEY}"),
    number("settlement_fees", f"cut off a scalar payout, {MONEY}"),
    number("net_at_settlement", f"contracts that were paid, {COUNT}"),
    number("settled_at", INSTANT, null=True),
    text("evidence", "what the payout rests on; null: nothing was paid", null=True),
    Index("positions_settled", "settled_at", "book"),
    Index(
        "positions_open",
        "ticker",
        sqlite_where=sql_text("net <> 0"),
        postgresql_where=sql_text("net <> 0"),
    ),
    comment="One row per market that a subaccount ever touched, by the books.",
)

trades = table(
    PROJECTED,
    "trades",
    number("book", "market_keys.book", primary_key=True),
    number("number", "order within the market, from 1", primary_key=True),
    *scope(),
    text("ticker", "the market"),
    text("side", "yes or no"),
    text("status", "open, closed, settled"),
    number("quantity", f"the largest position held, {COUNT}"),
    number("bought", COUNT),
    number("bought_cost", MONEY),
    number("sold", COUNT),
    number("sold_proceeds", MONEY),
    number("payout", MONEY),
    number("fees", MONEY),
    number("profit_loss", f"after fees, {MONEY}"),
    number("opened_at", INSTANT),
    number("closed_at", INSTANT, null=True),
    text("strategy", "the strategy tag; may be empty"),
    comment="Round trips: from flat to flat, or to settlement.",
    clustered=True,
)

booking_breaks = table(
    PROJECTED,
    "booking_breaks",
    number("book", "market_keys.book", primary_key=True),
    text("identity", "stable from run to run", primary_key=True),
    text("kind", "see the page on breaks"),
    text("severity", "red, amber, green"),
    number("subaccount", "whose", null=True),
    number("shard", "which", null=True),
    text("ticker", "the market", null=True),
    number("amount", MONEY),
    number("occurred_at", INSTANT),
    text("summary", "in one sentence"),
    text("evidence", "JSON list of the facts that matter"),
    text("remedy", "what to do"),
    comment="What booking itself noticed; reconcile reports it.",
)
