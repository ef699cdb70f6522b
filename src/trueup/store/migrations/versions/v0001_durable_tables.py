"""The durable tables: the record of what the exchange said, and what was decided.

Frozen: later changes are later migrations.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _number(
    name: str, comment: str, *, null: bool = False, primary_key: bool = False
) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(
        name, kind, nullable=null, primary_key=primary_key, autoincrement=False, comment=comment
    )


def _text(
    name: str, comment: str, *, null: bool = False, primary_key: bool = False
) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null, primary_key=primary_key, comment=comment)


def _octets(name: str, comment: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, comment=comment)


def upgrade() -> None:
    """Make every durable table."""
    _make_record()
    _make_progress()
    _make_decisions()
    _make_catalog()


def _make_record() -> None:
    op.create_table(
        "meta",
        _text(
            "name",
            "schema_version, projection_version, venue, mode, account, indexed_to, report_terms",
            primary_key=True,
        ),
        _text("value", "its value"),
        comment="What these books are: opening them for another venue, mode or account is refused.",
    )
    op.create_table(
        "journal",
        _number("sequence", "order of arrival, from 1 without gaps", primary_key=True),
        _text("stream", "fills, settlements, orders, deposits, …"),
        _text("key", "the record's name within its stream; see the page on the journal"),
        _number("identity", "64 bits of BLAKE2b of stream and key: journal_index knows it by this"),
        _number("version", "1, 2, …: the different contents seen under one identity"),
        _octets("hash", "BLAKE2b-128 of body"),
        _number("completes", "1: this version only adds what the one before did not know"),
        _text("source", "rest, historical, ws, fix, recording, operator"),
        _number("observed_at", "when trueup saw it, µs since 1970 UTC"),
        _number("occurred_at", "when it happened by the exchange's clock, µs since 1970 UTC"),
        _text("body", "the decoded fields as canonical JSON, amounts as integers in their unit"),
        _octets("raw", "the record exactly as the exchange sent it"),
        comment="Everything the exchange ever said about the account. Append-only.",
    )
    op.create_table(
        "journal_index",
        _number("identity", "journal.identity", primary_key=True),
        _number("version", "journal.version", primary_key=True),
        _number("sequence", "journal.sequence"),
        comment="Where each record's versions are, for all but the newest part of the journal.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        _octets("identity", "BLAKE2b-128 of stream, reason and raw"),
        _text("stream", "the stream it came on"),
        _text("reason", "why it could not be read"),
        _text("source", "rest, historical, ws, fix, recording, operator"),
        _number("first_at", "first seen, µs since 1970 UTC"),
        _number("last_at", "last seen, µs since 1970 UTC"),
        _number("seen", "how often it was seen"),
        _octets("raw", "the record exactly as the exchange sent it"),
        comment="Records that could not be read in full: kept raw, reported, never guessed at.",
    )
    op.create_index("quarantine_identity", "quarantine", ["identity"], unique=True)
    op.create_table(
        "drift",
        _text("stream", "the stream it came on", primary_key=True),
        _text("field", "the name of the field", primary_key=True),
        _number("seen", "how many pages carried it"),
        _number("first_at", "first seen, µs since 1970 UTC"),
        _number("last_at", "last seen, µs since 1970 UTC"),
        comment="Fields the exchange sends and trueup does not know yet.",
    )


def _make_progress() -> None:
    op.create_table(
        "fetches",
        _text("stream", "what is fetched", primary_key=True),
        _number("subaccount", "asked for; -1: all", primary_key=True),
        _number("shard", "asked for; -1: all", primary_key=True),
        _text("tier", "live or historical", primary_key=True),
        _number(
            "window_start",
            "asked from, µs since 1970 UTC; -1: from the beginning",
            primary_key=True,
        ),
        _number("window_end", "asked up to, µs since 1970 UTC", null=True),
        _text("cursor", "the next page; empty: the first page"),
        _text("state", "running or done"),
        _number("pages", "pages stored so far"),
        _number("records", "records on these pages"),
        _number("updated_at", "when the last page was stored, µs since 1970 UTC"),
        comment="How far each fetch has come. Saved in the same transaction as its page.",
    )
    op.create_table(
        "coverage",
        _text("stream", "what is covered", primary_key=True),
        _number("subaccount", "-1: all", primary_key=True),
        _number("shard", "-1: all", primary_key=True),
        _text("tier", "live or historical", primary_key=True),
        _number("start_at", "complete from, µs since 1970 UTC", primary_key=True),
        _number("end_at", "complete up to, µs since 1970 UTC"),
        _number("proven_at", "when the fetch that proved it ended, µs since 1970 UTC"),
        comment="For which time each stream is proven complete.",
    )
    op.create_table(
        "lease",
        _text("name", "writer", primary_key=True),
        _text("token", "the holder's own secret word"),
        _text("host", "the holder's machine"),
        _number("pid", "the holder's process id"),
        _text("role", "bot, sync, recorder, …"),
        _number("acquired_at", "since, µs since 1970 UTC"),
        _number("heartbeat_at", "last sign of life, µs since 1970 UTC"),
        _number("expires_at", "others may take over after this, µs since 1970 UTC"),
        comment="Which process writes the books now.",
    )
    op.create_table(
        "handoff",
        _number("number", "order of arrival", primary_key=True),
        _text("stream", "the stream it came on"),
        _text("body", "the decoded fields as JSON; empty: quarantined"),
        _text("reason", "why it could not be read; empty: it could"),
        _text("source", "rest, historical, ws, fix, recording, operator"),
        _number("observed_at", "when it was seen, µs since 1970 UTC"),
        _octets("raw", "the record exactly as the exchange sent it"),
        _text("handed_by", "role, process and machine"),
        comment="Observations of processes that do not hold the lease; the holder drains it.",
    )


def _make_decisions() -> None:
    op.create_table(
        "breaks",
        _text("identity", "stable from run to run", primary_key=True),
        _text("kind", "missing_fill, payout_differs, …; see the page on breaks"),
        _text("severity", "red, amber, green"),
        _text("status", "open, acknowledged, closed"),
        _number("subaccount", "whose; null: the whole account", null=True),
        _number("shard", "which; null: all", null=True),
        _text("ticker", "the market; null: none", null=True),
        _number("amount", "what the exchange has more than the books, micro-dollars"),
        _number("occurred_at", "when it arose, µs since 1970 UTC"),
        _number("first_seen", "the first run that found it, µs since 1970 UTC"),
        _number("last_seen", "the last run that found it, µs since 1970 UTC"),
        _text("summary", "in one sentence"),
        _text("evidence", "JSON list of the facts that matter"),
        _text("remedy", "what to do"),
        _text("reason", "why it was acknowledged or closed"),
        _text("decided_by", "who did that; empty: it closed by itself"),
        _number("decided_at", "when, µs since 1970 UTC", null=True),
        comment="Every disagreement between books and exchange, with its age and what was decided.",
    )
    op.create_table(
        "snapshots",
        _number("at", "when the sync was stored, µs since 1970 UTC", primary_key=True),
        _number("balance", "cash available, micro-dollars"),
        _number(
            "portfolio_value", "the exchange's value of the positions, micro-dollars", null=True
        ),
        _number("equity", "balance + portfolio value, micro-dollars", null=True),
        _number("positions", "open positions"),
        _number("realized", "realised P&L before fees, all time, micro-dollars"),
        _number("unrealized", "P&L of open positions at the marks, micro-dollars", null=True),
        _number("fees", "all fees, all time, micro-dollars"),
        comment="One row per stored sync.",
    )


def _make_catalog() -> None:
    op.create_table(
        "series",
        _text("ticker", "the series", primary_key=True),
        _text("title", "its title"),
        _text("category", "the exchange's category, e.g. Climate and Weather"),
        _text("tags", "JSON list"),
        _text("fee_type", "the exchange's word"),
        _text("fee_multiplier", "exact ratio"),
        _number("fetched_at", "how old this is, µs since 1970 UTC"),
        comment="Cached series.",
    )
    op.create_table(
        "events",
        _text("ticker", "the event", primary_key=True),
        _text("series_ticker", "its series"),
        _text("title", "its title"),
        _number("mutually_exclusive", "1: at most one of its markets is YES"),
        _text("fee_type_override", "null: the series' fee type", null=True),
        _text("fee_multiplier_override", "null: the series' multiplier", null=True),
        _number("fetched_at", "how old this is, µs since 1970 UTC"),
        comment="Cached events.",
    )
    op.create_table(
        "market_details",
        _text("ticker", "the market", primary_key=True),
        _text("event_ticker", "its event"),
        _text("title", "its title"),
        _number("open_at", "µs since 1970 UTC", null=True),
        _number("close_at", "µs since 1970 UTC", null=True),
        _number("expected_expiration_at", "µs since 1970 UTC", null=True),
        _number("fee_waiver_until", "µs since 1970 UTC", null=True),
        _number("shard", "the exchange's exchange_index"),
        _number("fetched_at", "how old this is, µs since 1970 UTC"),
        comment="Cached market descriptions (what they say about their life is in markets).",
    )
    op.create_table(
        "fee_changes",
        _text("change_id", "the exchange's id", primary_key=True),
        _text("series_ticker", "the series"),
        _text("event_ticker", "the event; null: the whole series", null=True),
        _text("fee_type", "null with the multiplier: an override is cleared", null=True),
        _text("fee_multiplier", "exact ratio", null=True),
        _number("effective_at", "from when, µs since 1970 UTC"),
        _number("fetched_at", "how old this is, µs since 1970 UTC"),
        comment="Past and scheduled changes of fee terms.",
    )
    op.create_table(
        "quotes",
        _text("ticker", "the market", primary_key=True),
        _number("yes_bid", "1/10,000 $ (YES price); null: no bid", null=True),
        _number("yes_ask", "1/10,000 $ (YES price); null: no ask", null=True),
        _number("last", "1/10,000 $ (YES price); null: never traded", null=True),
        _number("volume", "1/100 contract"),
        _number("volume_24h", "1/100 contract"),
        _number("open_interest", "1/100 contract"),
        _number("fetched_at", "how old this is, µs since 1970 UTC"),
        comment="The last quote of each market looked at: the marks of unrealised P&L.",
    )
