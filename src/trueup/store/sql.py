"""Every statement of the store by name, in one place, for both databases.

See `trueup.store.statement` for ``?`` and ``{among}``.  Plain inserts and
upserts are not here: they are derived from a table's name and columns.
"""

from __future__ import annotations

from typing import Final

from trueup.store.statement import Statement

# What the books are

META: Final = Statement("SELECT name, value FROM meta")
META_SET: Final = Statement("UPDATE meta SET value = ? WHERE name = ?")

# The journal

LAST_SEQUENCE: Final = Statement("SELECT coalesce(max(sequence), 0) FROM journal")
INDEXED_TO: Final = Statement("SELECT value FROM meta WHERE name = 'indexed_to'")
INDEXED: Final = Statement("SELECT sequence FROM journal_index WHERE identity {among}")
TAIL: Final = Statement(
    "SELECT sequence, identity FROM journal WHERE sequence > ? ORDER BY sequence"
)
TAIL_OF: Final = Statement(
    "SELECT sequence FROM journal WHERE sequence > ? AND identity {among} ORDER BY sequence"
)
TAIL_VERSIONS: Final = Statement(
    "SELECT identity, version, sequence FROM journal WHERE sequence > ? ORDER BY identity, version"
)
KNOWN_VERSIONS: Final = Statement(
    "SELECT stream, key, identity, sequence, version, hash, source, observed_at FROM journal "
    "WHERE sequence {among} ORDER BY identity, version"
)
BODIES: Final = Statement("SELECT sequence, body FROM journal WHERE sequence {among}")
VERSIONS: Final = Statement(
    "SELECT stream, sequence, key, version, source, observed_at, body FROM journal "
    "WHERE sequence {among} ORDER BY stream, key, version"
)
RAW: Final = Statement(
    "SELECT sequence, version, source, observed_at, body, raw FROM journal "
    "WHERE sequence {among} ORDER BY version"
)
REPLAY: Final = Statement(
    "SELECT sequence, stream, identity, version, source, observed_at, body FROM journal "
    "WHERE sequence > ? ORDER BY sequence LIMIT ?"
)
REPLAY_EARLIER: Final = Statement(
    "SELECT identity, version, sequence, body FROM journal WHERE sequence {among}"
)
RETOLD: Final = Statement(
    "SELECT identity FROM journal_index WHERE version > 1 UNION "
    "SELECT identity FROM journal WHERE sequence > ? AND version > 1"
)
REVISIONS: Final = Statement(
    "SELECT stream, sequence, key, version, source, observed_at, body, completes FROM journal "
    "WHERE sequence {among} AND stream {among} ORDER BY stream, key, version"
)
JOURNAL_COLUMNS: Final = (
    "sequence",
    "stream",
    "key",
    "identity",
    "version",
    "hash",
    "completes",
    "source",
    "observed_at",
    "occurred_at",
    "body",
    "raw",
)

# What could not be read

QUARANTINE: Final = Statement(
    "INSERT INTO quarantine (identity, stream, reason, source, first_at, last_at, seen, raw, "
    "subaccount) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (identity) DO UPDATE "
    "SET seen = quarantine.seen + 1, last_at = excluded.last_at"
)
QUARANTINED: Final = Statement(
    "SELECT stream, reason, source, last_at, raw, subaccount FROM quarantine "
    "ORDER BY first_at, identity"
)
QUARANTINE_FORGET: Final = Statement("DELETE FROM quarantine WHERE stream = ? AND raw = ?")
DRIFT: Final = Statement(
    "INSERT INTO drift (stream, field, seen, first_at, last_at) VALUES (?, ?, 1, ?, ?) "
    "ON CONFLICT (stream, field) DO UPDATE "
    "SET seen = drift.seen + 1, last_at = excluded.last_at"
)
DRIFTED: Final = Statement(
    "SELECT stream, field, seen, first_at, last_at FROM drift ORDER BY stream, field"
)

# Fetches and coverage

FETCH_SAVE: Final = Statement(
    "INSERT INTO fetches (stream, subaccount, shard, tier, window_start, window_end, cursor, "
    "state, pages, records, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) "
    "ON CONFLICT (stream, subaccount, shard, tier, window_start) DO UPDATE SET "
    "pages = CASE fetches.state WHEN 'running' THEN fetches.pages ELSE 0 END + 1, "
    "records = CASE fetches.state WHEN 'running' THEN fetches.records ELSE 0 END "
    "+ excluded.records, window_end = excluded.window_end, cursor = excluded.cursor, "
    "state = excluded.state, updated_at = excluded.updated_at"
)
FETCHES_DONE_FORGET: Final = Statement(
    "DELETE FROM fetches WHERE stream = ? AND subaccount = ? AND shard = ? AND tier = ? "
    "AND window_start <> ? AND state = 'done'"
)
FETCHES: Final = Statement(
    "SELECT stream, subaccount, shard, tier, window_start, window_end, cursor, state, pages, "
    "records, updated_at FROM fetches ORDER BY stream, subaccount, shard, tier"
)
FETCH_FORGET: Final = Statement(
    "DELETE FROM fetches WHERE stream = ? AND subaccount = ? AND shard = ? AND tier = ? "
    "AND window_start = ?"
)
COVERAGE: Final = Statement(
    "SELECT stream, subaccount, shard, tier, start_at, end_at, proven_at FROM coverage "
    "ORDER BY stream, subaccount, shard, tier, start_at"
)
COVERAGE_OF: Final = Statement(
    "SELECT start_at, end_at, proven_at FROM coverage WHERE stream = ? AND subaccount = ? "
    "AND shard = ? AND tier = ? ORDER BY start_at"
)
COVERAGE_CLEAR: Final = Statement(
    "DELETE FROM coverage WHERE stream = ? AND subaccount = ? AND shard = ? AND tier = ?"
)

# Markets of the books, and what is to be booked

KEYS_OF_TICKERS: Final = Statement(
    "SELECT book, subaccount, ticker FROM market_keys WHERE ticker {among}"
)
KEYS_OF_BOOKS: Final = Statement(
    "SELECT book, subaccount, ticker FROM market_keys WHERE book {among}"
)
MARK_DIRTY_TICKERS: Final = Statement(
    "INSERT INTO dirty (book, marked) SELECT book, ? FROM market_keys WHERE ticker {among} "
    "ON CONFLICT (book) DO UPDATE SET marked = excluded.marked"
)
MARK_ALL_DIRTY: Final = Statement(
    "INSERT INTO dirty (book, marked) SELECT book, ? FROM market_keys WHERE true "
    "ON CONFLICT (book) DO UPDATE SET marked = excluded.marked"
)
DIRTY_MARKETS: Final = Statement(
    "SELECT book, marked FROM dirty WHERE book > ? ORDER BY book LIMIT ?"
)
DIRTY_CASH: Final = Statement(
    "SELECT book, marked FROM dirty WHERE book < 0 ORDER BY book DESC LIMIT ?"
)
DIRTY_COUNT: Final = Statement("SELECT count(*) FROM dirty")
CLEAN: Final = Statement("DELETE FROM dirty WHERE book {among}")
DIRTY_AMONG: Final = Statement("SELECT book, marked FROM dirty WHERE book {among}")
CASH_FACTS: Final = Statement(
    "SELECT stream, key FROM journal WHERE sequence {among} ORDER BY sequence"
)
BOOKED: Final = Statement("SELECT book FROM positions WHERE book {among}")
FORGET_ENTRIES: Final = Statement("DELETE FROM entries WHERE book {among}")
FORGET_POSITIONS: Final = Statement("DELETE FROM positions WHERE book {among}")
FORGET_TRADES: Final = Statement("DELETE FROM trades WHERE book {among}")
FORGET_BOOKING_BREAKS: Final = Statement("DELETE FROM booking_breaks WHERE book {among}")

# Typed rows

ORDERS_BY_ID: Final = Statement(
    "SELECT id, order_id, client_order_id, ticker, side, status, price, initial_count, "
    "fill_count, remaining_count, taker_fees, maker_fees, taker_fill_cost, maker_fill_cost, "
    "created_at, updated_at, subaccount, shard FROM orders WHERE order_id {among}"
)
MARKETS_BY_TICKER: Final = Statement(
    "SELECT id, observed_at, ticker, event_ticker, status, result, settlement_value, close_at, "
    "settled_at, shard FROM markets WHERE ticker {among}"
)
POSITIONS_OBSERVED: Final = Statement(
    "SELECT id, observed_at, ticker, subaccount FROM position_statements WHERE ticker {among}"
)
# The columns of `trueup.ledger.bare.BareFill` and `BareSettlement`, after the book.
STEPS_OF_FILLS: Final = Statement(
    "SELECT book, at, 0, trade_id || '/' || order_id, version, subaccount, ticker, order_id, "
    "CASE side WHEN 'yes' THEN 1 ELSE -1 END, count, price, fee, shard FROM fills "
    "WHERE book {among}"
)
STEPS_OF_SETTLEMENTS: Final = Statement(
    "SELECT book, at, 1, CAST(subaccount AS TEXT) || '/' || ticker || '/0', version, subaccount, "
    "ticker, event_ticker, result, revenue, value, shard FROM settlements WHERE book {among}"
)

# Settlement reports: what stands in `trueup.ledger.bare.BareReport`, party by party added up

# Ways in which settlements were told from the first page to the last: what
# `trueup.ledger.report_pages.whole_tellings` says.
_WHOLE: Final = (
    "SELECT ticker, clearing_date, result, value FROM (SELECT ticker, clearing_date, result, "
    "value, count(*) AS pages, max(is_last) AS has_last, max(coalesce(announced, 1)) AS announced "
    "FROM settlement_pages{of} GROUP BY session, ticker, clearing_date, result, value) AS s "
    "GROUP BY ticker, clearing_date, result, value "
    "HAVING max(CASE WHEN has_last = 1 THEN pages ELSE 0 END) >= max(announced)"
)
_REPORTED: Final = (
    "SELECT r.book, min(r.clearing_date), min(r.at), max(r.version), r.subaccount, r.ticker, "
    "max(r.clearing_date), max(r.result), max(r.value), sum(r.long), sum(r.short), sum(r.paid), "
    "count(*), count(r.paid), count(coalesce(r.long, r.short)), count(w.ticker), sum(r.fee), "
    "max(r.doubt) FROM settlement_reports AS r{newest} LEFT JOIN ({whole}) AS w "
    "ON w.ticker = r.ticker AND w.clearing_date = r.clearing_date AND w.result = r.result "
    "AND coalesce(w.value, -1) = coalesce(r.value, -1) "
    "WHERE r.book {which} GROUP BY r.book, r.subaccount, r.ticker"
)
_WHOLE_OF_BOOKS: Final = _WHOLE.replace(
    "{of}", " WHERE ticker IN (SELECT ticker FROM market_keys WHERE book {among})"
)
REPORTS_OF_BOOKS: Final = Statement(
    _REPORTED.format(newest="", whole=_WHOLE_OF_BOOKS, which="{among}")
)
ALL_REPORTS: Final = Statement(
    _REPORTED.format(newest="", whole=_WHOLE.replace("{of}", ""), which="IS NOT NULL")
    + " ORDER BY r.ticker, r.subaccount"
)
# The same where a market was reported under several dates: of each party the newest.
NEWEST_REPORTS_OF_BOOKS: Final = Statement(
    _REPORTED.format(
        newest=" JOIN (SELECT book, party, max(clearing_date) AS day FROM settlement_reports "
        "WHERE book {among} GROUP BY book, party) AS n "
        "ON n.book = r.book AND n.party = r.party AND n.day = r.clearing_date",
        whole=_WHOLE_OF_BOOKS,
        which="{among}",
    )
)
ANY_REPORT: Final = Statement("SELECT 1 FROM settlement_reports LIMIT 1")
REPORT_KEYS_OF_BOOK: Final = Statement(
    "SELECT clearing_date || '/' || ticker || '/' || party FROM settlement_reports "
    "WHERE subaccount = ? AND ticker = ? AND book IS NOT NULL ORDER BY id"
)
PAGE_KEYS_OF_MARKET: Final = Statement(
    "SELECT session || '/' || clearing_date || '/' || ticker || '/' || report_id "
    "FROM settlement_pages WHERE ticker = ? ORDER BY id"
)
REPORT_COUNTS: Final = Statement(
    "SELECT count(*), coalesce(sum(is_resent), 0), coalesce(sum(parties), 0) FROM settlement_pages"
)
STRANGERS: Final = Statement(
    "SELECT party, count(*), CASE WHEN count(paid) = count(*) THEN sum(paid) END, min(at), "
    "min(ticker) FROM settlement_reports WHERE book IS NULL GROUP BY party "
    "ORDER BY coalesce(sum(paid), 0) DESC, party"
)
_PAGES: Final = (
    "SELECT session, ticker, clearing_date, count(*), min(announced), max(announced), "
    "sum(is_last), sum(parties), count(DISTINCT result), count(DISTINCT value), min(at), max(at) "
    "FROM settlement_pages{which} GROUP BY session, ticker, clearing_date "
    "ORDER BY clearing_date, ticker, session"
)
PAGES: Final = Statement(_PAGES.replace("{which}", ""))
PAGES_OF_DAY: Final = Statement(_PAGES.replace("{which}", " WHERE clearing_date = ?"))

# The lease and the handoff

LEASE: Final = Statement(
    "SELECT token, host, pid, role, acquired_at, heartbeat_at, expires_at FROM lease "
    "WHERE name = 'writer'"
)
LEASE_BEAT: Final = Statement(
    "UPDATE lease SET heartbeat_at = ?, expires_at = ? WHERE name = 'writer' AND token = ?"
)
LEASE_RELEASE: Final = Statement("DELETE FROM lease WHERE name = 'writer' AND token = ?")
HANDOFF_LAST: Final = Statement("SELECT coalesce(max(number), 0) FROM handoff")
HANDOFF_COUNT: Final = Statement("SELECT count(*) FROM handoff")
HANDOFF_NEXT: Final = Statement(
    "SELECT number, stream, body, reason, source, observed_at, raw, subaccount FROM handoff "
    "ORDER BY number LIMIT ?"
)
HANDOFF_DONE: Final = Statement("DELETE FROM handoff WHERE number <= ?")

# Breaks

BREAKS: Final = Statement(
    "SELECT identity, kind, severity, status, subaccount, shard, ticker, amount, occurred_at, "
    "first_seen, last_seen, summary, evidence, remedy, reason, decided_by, decided_at "
    "FROM breaks ORDER BY first_seen, identity"
)
BREAK_DECIDE: Final = Statement(
    "UPDATE breaks SET status = ?, reason = ?, decided_by = ?, decided_at = ? WHERE identity = ?"
)
BOOKING_BREAKS: Final = Statement(
    "SELECT identity, kind, severity, subaccount, shard, ticker, amount, occurred_at, summary, "
    "evidence, remedy FROM booking_breaks ORDER BY book, identity"
)
