"""The tables of the books: one description for SQLite and PostgreSQL.

Units are in the columns' comments and never vary: money in micro-dollars
($0.000001), prices in 1/10,000 $, counts in 1/100 contract, times in whole
microseconds since 1970 UTC.  Ratios (fee multipliers) are text such as ``7/100``.

*Durable* tables are the record: they change only by migrations.  *Projections*
are made from the journal and may be dropped and made again at any time
(`trueup db rebuild`).  Only `trueup.store` knows this module; the hot paths
use the names in `trueup.store.records` and `trueup.store.sql`, and a test
compares them with this description.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits in both databases (SQLite's INTEGER is up to 64 bits wide)."""

DURABLE: Final = MetaData()
PROJECTED: Final = MetaData()

MONEY: Final = "micro-dollars"
PRICE: Final = "1/10,000 $ (YES price)"
COUNT: Final = "1/100 contract"
INSTANT: Final = "µs since 1970 UTC"


def number(
    name: str, comment: str, *, null: bool = False, primary_key: bool = False
) -> Column[int]:
    """An integer column."""
    return Column(
        name,
        NUMBER,
        nullable=null,
        primary_key=primary_key,
        autoincrement=False,
        comment=comment,
    )


def text(name: str, comment: str, *, null: bool = False, primary_key: bool = False) -> Column[str]:
    """A text column."""
    return Column(name, Text(), nullable=null, primary_key=primary_key, comment=comment)


def octets(name: str, comment: str) -> Column[bytes]:
    """A column of bytes."""
    return Column(name, LargeBinary(), nullable=False, comment=comment)


def table(
    metadata: MetaData,
    name: str,
    *items: Column[int] | Column[str] | Column[bytes] | Index,
    comment: str,
    clustered: bool = False,
) -> Table:
    """A table; a `clustered` one is stored in the order of its key (SQLite)."""
    return Table(name, metadata, *items, comment=comment, sqlite_with_rowid=not clustered)


def scope(*, shard_known: bool = True) -> tuple[Column[int], Column[int]]:
    """The two columns that say whose row it is."""
    words = "the exchange's exchange_index" + ("" if shard_known else "; null: not named")
    return (
        number("subaccount", "0 is the primary account"),
        number("shard", words, null=not shard_known),
    )


meta = table(
    DURABLE,
    "meta",
    text(
        "name",
        "schema_version, projection_version, venue, mode, account, indexed_to, report_terms",
        primary_key=True,
    ),
    text("value", "its value"),
    comment="What these books are: opening them for another venue, mode or account is refused.",
)

journal = table(
    DURABLE,
    "journal",
    number("sequence", "order of arrival, from 1 without gaps", primary_key=True),
    text("stream", "fills, settlements, orders, deposits, …"),
    text("key", "the record's name within its stream; see the page on the journal"),
    number("identity", "64 bits of BLAKE2b of stream and key: journal_index knows it by this"),
    number("version", "1, 2, …: the different contents seen under one identity"),
    octets("hash", "BLAKE2b-128 of body"),
    number("completes", "1: this version only adds what the one before did not know"),
    text("source", "rest, historical, ws, fix, recording, operator"),
    number("observed_at", f"when trueup saw it, {INSTANT}"),
    number("occurred_at", f"when it happened by the exchange's clock, {INSTANT}"),
    text("body", "the decoded fields as canonical JSON, amounts as integers in their unit"),
    octets("raw", "the record exactly as the exchange sent it"),
    comment="Everything the exchange ever said about the account. Append-only.",
)

journal_index = table(
    DURABLE,
    "journal_index",
    number("identity", "journal.identity", primary_key=True),
    number("version", "journal.version", primary_key=True),
    number("sequence", "journal.sequence"),
    comment="Where each record's versions are, for all but the newest part of the journal.",
    clustered=True,
)

quarantine = table(
    DURABLE,
    "quarantine",
    octets("identity", "BLAKE2b-128 of stream, reason and raw"),
    text("stream", "the stream it came on"),
    text("reason", "why it could not be read"),
    text("source", "rest, historical, ws, fix, recording, operator"),
    number("first_at", f"first seen, {INSTANT}"),
    number("last_at", f"last seen, {INSTANT}"),
    number("seen", "how often it was seen"),
    octets("raw", "the record exactly as the exchange sent it"),
    number("subaccount", "the one that was asked for it; null: all, or not noted", null=True),
    Index("quarantine_identity", "identity", unique=True),
    comment="Records that could not be read in full: kept raw, reported, never guessed at.",
)

drift = table(
    DURABLE,
    "drift",
    text("stream", "the stream it came on", primary_key=True),
    text("field", "the name of the field", primary_key=True),
    number("seen", "how many pages carried it"),
    number("first_at", f"first seen, {INSTANT}"),
    number("last_at", f"last seen, {INSTANT}"),
    comment="Fields the exchange sends and trueup does not know yet.",
)

fetches = table(
    DURABLE,
    "fetches",
    text("stream", "what is fetched", primary_key=True),
    number("subaccount", "asked for; -1: all", primary_key=True),
    number("shard", "asked for; -1: all", primary_key=True),
    text("tier", "live or historical", primary_key=True),
    number("window_start", f"asked from, {INSTANT}; -1: from the beginning", primary_key=True),
    number("window_end", f"asked up to, {INSTANT}", null=True),
    text("cursor", "the next page; empty: the first page"),
    text("state", "running or done"),
    number("pages", "pages stored so far"),
    number("records", "records on these pages"),
    number("updated_at", f"when the last page was stored, {INSTANT}"),
    comment="How far each fetch has come. Saved in the same transaction as its page.",
)

coverage = table(
    DURABLE,
    "coverage",
    text("stream", "what is covered", primary_key=True),
    number("subaccount", "-1: all", primary_key=True),
    number("shard", "-1: all", primary_key=True),
    text("tier", "live or historical; stated: somebody's word", primary_key=True),
    number("start_at", f"complete from, {INSTANT}", primary_key=True),
    number("end_at", f"complete up to, {INSTANT}"),
    number("proven_at", f"when the fetch that proved it ended, {INSTANT}"),
    comment="For which time each stream is proven complete.",
)

breaks = table(
    DURABLE,
    "breaks",
    text("identity", "stable from run to run", primary_key=True),
    text("kind", "missing_fill, payout_differs, …; see the page on breaks"),
    text("severity", "red, amber, green"),
    text("status", "open, acknowledged, closed"),
    number("subaccount", "whose; null: the whole account", null=True),
    number("shard", "which; null: all", null=True),
    text("ticker", "the market; null: none", null=True),
    number("amount", f"what the exchange has more than the books, {MONEY}"),
    number("occurred_at", f"when it arose, {INSTANT}"),
    number("first_seen", f"the first run that found it, {INSTANT}"),
    number("last_seen", f"the last run that found it, {INSTANT}"),
    text("summary", "in one sentence"),
    text("evidence", "JSON list of the facts that matter"),
    text("remedy", "what to do"),
    text("reason", "why it was acknowledged or closed"),
    text("decided_by", "who did that; empty: it closed by itself"),
    number("decided_at", f"when, {INSTANT}", null=True),
    comment="Every disagreement between books and exchange, with its age and what was decided.",
)

snapshots = table(
    DURABLE,
    "snapshots",
    number("at", f"when the sync was stored, {INSTANT}", primary_key=True),
    number("balance", f"cash available, {MONEY}"),
    number("portfolio_value", f"the exchange's value of the positions, {MONEY}", null=True),
    number("equity", f"balance + portfolio value, {MONEY}", null=True),
    number("positions", "open positions"),
    number("realized", f"realised P&L before fees, all time, {MONEY}"),
    number("unrealized", f"P&L of open positions at the marks, {MONEY}", null=True),
    number("fees", f"all fees, all time, {MONEY}"),
    comment="One row per stored sync.",
)

lease = table(
    DURABLE,
    "lease",
    text("name", "writer", primary_key=True),
    text("token", "the holder's own secret word"),
    text("host", "the holder's machine"),
    number("pid", "the holder's process id"),
    text("role", "bot, sync, recorder, …"),
    number("acquired_at", f"since, {INSTANT}"),
    number("heartbeat_at", f"last sign of life, {INSTANT}"),
    number("expires_at", f"others may take over after this, {INSTANT}"),
    comment="Which process writes the books now.",
)

handoff = table(
    DURABLE,
    "handoff",
    number("number", "order of arrival", primary_key=True),
    text("stream", "the stream it came on"),
    text("body", "the decoded fields as JSON; empty: quarantined"),
    text("reason", "why it could not be read; empty: it could"),
    text("source", "rest, historical, ws, fix, recording, operator"),
    number("observed_at", f"when it was seen, {INSTANT}"),
    octets("raw", "the record exactly as the exchange sent it"),
    text("handed_by", "role, process and machine"),
    number("subaccount", "the one that was asked for a record that could not be read", null=True),
    comment="Observations of processes that do not hold the lease; the holder drains it.",
)

series = table(
    DURABLE,
    "series",
    text("ticker", "the series", primary_key=True),
    text("title", "its title"),
    text("category", "the exchange's category, e.g. Climate and Weather"),
    text("tags", "JSON list"),
    text("fee_type", "the exchange's word"),
    text("fee_multiplier", "exact ratio"),
    number("fetched_at", f"how old this is, {INSTANT}"),
    comment="Cached series.",
)

events = table(
    DURABLE,
    "events",
    text("ticker", "the event", primary_key=True),
    text("series_ticker", "its series"),
    text("title", "its title"),
    number("mutually_exclusive", "1: at most one of its markets is YES"),
    text("fee_type_override", "null: the series' fee type", null=True),
    text("fee_multiplier_override", "null: the series' multiplier", null=True),
    number("fetched_at", f"how old this is, {INSTANT}"),
    comment="Cached events.",
)

market_details = table(
    DURABLE,
    "market_details",
    text("ticker", "the market", primary_key=True),
    text("event_ticker", "its event"),
    text("title", "its title"),
    number("open_at", INSTANT, null=True),
    number("close_at", INSTANT, null=True),
    number("expected_expiration_at", INSTANT, null=True),
    number("fee_waiver_until", INSTANT, null=True),
    number("shard", "the exchange's exchange_index"),
    number("fetched_at", f"how old this is, {INSTANT}"),
    comment="Cached market descriptions (what they say about their life is in markets).",
)

fee_changes = table(
    DURABLE,
    "fee_changes",
    text("change_id", "the exchange's id", primary_key=True),
    text("series_ticker", "the series"),
    text("event_ticker", "the event; null: the whole series", null=True),
    text("fee_type", "null with the multiplier: an override is cleared", null=True),
    text("fee_multiplier", "exact ratio", null=True),
    number("effective_at", f"from when, {INSTANT}"),
    number("fetched_at", f"how old this is, {INSTANT}"),
    comment="Past and scheduled changes of fee terms.",
)

quotes = table(
    DURABLE,
    "quotes",
    text("ticker", "the market", primary_key=True),
    number("yes_bid", f"{PRICE}; null: no bid", null=True),
    number("yes_ask", f"{PRICE}; null: no ask", null=True),
    number("last", f"{PRICE}; null: never traded", null=True),
    number("volume", COUNT),
    number("volume_24h", COUNT),
    number("open_interest", COUNT),
    number("fetched_at", f"how old this is, {INSTANT}"),
    comment="The last quote of each market looked at: the marks of unrealised P&L.",
)
