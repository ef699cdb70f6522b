"""The exchange's side of one WebSocket connection, without the socket.

    session = ServerSession(user_id, markets)
    frames = session.receive(text, now)          # a command came: send these back, in order
    frames = session.publish(publication, now)   # something happened: perhaps this one hears of it

Whoever drives it sends every frame it gets, in the order it gets them; that
keeps ``seq`` dense.  (To play a lossy exchange, leave some out.)

Rules, from the exchange's AsyncAPI description and from recordings:

- A channel has one subscription (``sid``) on a connection; subscribing again
  merges into it.  The first time is answered by ``subscribed``, a merge by ``ok``
  with the full list of markets (recorded July 2026).
- ``seq`` counts from 1 for each sid, over all markets.  ``ok`` and
  ``unsubscribed`` count, too; so do snapshots.  Fills, orders, positions and
  tickers carry none.
- A snapshot follows the acknowledgement of every newly added market, and answers
  ``get_snapshot``, where it repeats the command's id.
- A new subscription after ``unsubscribe`` has a new sid, and seq starts over.

Approximate, because nobody recorded it: a ticker that does not exist is refused
with code 11 and its name, while the others of the command are taken; markets
named to a subscription that covers everything change nothing; which shard of
the communications channel a market falls into.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import UnsetType

from trueup.core import announcements as a
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.wire.ws.channels import ERROR_TEXTS, TRAITS, Channel, ErrorCode, Filter
from trueup.wire.ws.commands import Action, Command, Params, read_command
from trueup.wire.ws.publication import MarketSource, Publication
from trueup.wire.ws.server_frames import Framer
from trueup.wire.ws.server_subscription import (
    ACTIONS,
    ALL_NAMES,
    NAMES_KEY,
    Refusal,
    Subscription,
    check_markets,
    check_shards,
    covers,
    names_markets,
    names_of,
)

HEARTBEAT: Final = b"heartbeat"
"""The payload of the pings that the exchange sends."""

HEARTBEAT_EVERY: Final = 10 * SECOND
"""How often it sends one (microseconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one connection may ask for.  The exchange's figures of October 2026.

    `is_stamped` is whether frames carry ``sending_ts_ms`` (since October 2026).
    """

    commands_per_second: int = 10_000
    markets_max: int = 500_000
    is_stamped: bool = True


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command that is being carried out, with the markets that it names."""

    command_id: int
    params: Params
    markets: Mapping[Ticker, str]
    unknown: list[str]
    now: Instant


class ServerSession:
    """One connection.  `user_id` is whose key opened it; empty for nobody's."""

    def __init__(
        self, user_id: str, markets: MarketSource, limits: SessionLimits | None = None
    ) -> None:
        self.user_id: Final = user_id
        self._markets = markets
        self._limits = limits or SessionLimits()
        self._frames = Framer(self._limits.is_stamped)
        self._subscriptions: dict[Channel, Subscription] = {}
        self._last_sid = 0
        self._second = 0
        self._commands = 0
        self._listed: dict[Channel, Callable[[], Iterable[str]]] = {}

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels that are subscribed to."""
        return frozenset(self._subscriptions)

    def lists_names(self, channel: Channel, names: Callable[[], Iterable[str]]) -> None:
        """Say which indices or underlyings a channel of reference values has."""
        self._listed[channel] = names

    # -- what happens ----------------------------------------------------------

    def publish(self, publication: Publication, now: Instant) -> list[bytes]:
        """The frames by which this connection hears of it: one or none."""
        subscription = self._subscriptions.get(publication.channel)
        if subscription is None or not self._is_heard(subscription, publication):
            return []
        return [self._news(subscription, publication, now)]

    def overflow(self, channel: Channel, now: Instant) -> list[bytes]:
        """End a subscription whose listener reads too slowly (error 25)."""
        return self._break(channel, ErrorCode.BUFFER_OVERFLOW, now)

    def fail(self, channel: Channel, now: Instant) -> list[bytes]:
        """End a subscription because its channel failed (error 10)."""
        return self._break(channel, ErrorCode.CHANNEL_ERROR, now)

    def _break(self, channel: Channel, code: ErrorCode, now: Instant) -> list[bytes]:
        subscription = self._subscriptions.pop(channel, None)
        if subscription is None:
            return []
        return [self._error(code, now, subscription=subscription)]

    def _is_heard(self, subscription: Subscription, publication: Publication) -> bool:
        if TRAITS[subscription.channel].filter in {Filter.INDICES, Filter.UNDERLYINGS}:
            value = publication.value
            name = value.index_id if isinstance(value, a.IndexAnnounced) else ""
            return name in subscription.names or ALL_NAMES in subscription.names
        if subscription.channel is Channel.COMMUNICATIONS:
            return self._is_heard_communication(subscription, publication)
        if publication.user and publication.user != self.user_id:
            # A change of a book is everybody's; `user` only says whose order made it.
            return publication.channel is Channel.ORDERBOOK and covers(subscription, publication)
        return covers(subscription, publication)

    def _is_heard_communication(self, subscription: Subscription, publication: Publication) -> bool:
        value, is_own = publication.value, publication.user == self.user_id
        is_open = isinstance(value, a.RfqAnnounced) or (
            isinstance(value, a.RfqBatchAnnounced)
            and value.change in {"rfq_batch_created", "rfq_batch_deleted"}
        )
        if not is_own and (subscription.only_self or not is_open):
            return False
        if subscription.shard_factor == 1:
            return True
        key = value.rfq_batch_id if isinstance(value, a.RfqBatchAnnounced) else publication.ticker
        share = zlib.crc32((key or "").encode()) % subscription.shard_factor
        return share == subscription.shard_key

    # -- commands --------------------------------------------------------------

    def receive(self, text: bytes | str, now: Instant) -> list[bytes]:
        """Answer one message of the client."""
        try:
            command = read_command(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return [self._error(ErrorCode.UNABLE_TO_PROCESS, now)]
        try:
            self._count_command(now)
            return self._carry_out(command, now)
        except Refusal as refusal:
            return [self._error(refusal.code, now, command.id)]
        except msgspec.MsgspecError:
            return [self._error(ErrorCode.INVALID_PARAMETER, now, command.id)]

    def _count_command(self, now: Instant) -> None:
        second = now // SECOND
        if second != self._second:
            self._second, self._commands = second, 0
        self._commands += 1
        if self._commands > self._limits.commands_per_second:
            raise Refusal(ErrorCode.TOO_MANY_REQUESTS)

    def _carry_out(self, command: Command, now: Instant) -> list[bytes]:
        """Every check comes before the first change: a refused command changes nothing."""
        if command.cmd == "list_subscriptions":
            return [self._listing(command.id, now)]
        answer = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "update_subscription": self._update,
        }.get(command.cmd)
        if answer is None:
            raise Refusal(ErrorCode.UNKNOWN_COMMAND)
        if isinstance(command.params, UnsetType) or bytes(command.params) == b"null":
            raise Refusal(ErrorCode.PARAMS_REQUIRED)
        params = command.read_params()
        return answer(_Asked(command.id, params, *self._named_markets(params), now))

    def _named_markets(self, params: Params) -> tuple[dict[Ticker, str], list[str]]:
        """The markets that are named, each with the id it was named by ("" for its ticker);
        and what names no market.
        """
        found: dict[Ticker, str] = {}
        unknown: list[str] = []
        for name in params.tickers() or ():
            if self._markets.market_id(Ticker(name)):
                found[Ticker(name)] = ""
            else:
                unknown.append(name)
        for name in params.ids() or ():
            ticker = self._markets.ticker_of(name)
            if ticker is None:
                unknown.append(name)
            else:
                found[ticker] = name
        return found, unknown

    def _listing(self, command_id: int, now: Instant) -> bytes:
        by_sid = sorted(self._subscriptions.values(), key=lambda one: one.sid)
        listed = [{"channel": one.channel.value, "sid": one.sid} for one in by_sid]
        return self._frames.frame("ok", now, command_id, msg=listed)

    def _subscribe(self, asked: _Asked) -> list[bytes]:
        names = asked.params.channels
        if not names:
            raise Refusal(ErrorCode.CHANNELS_REQUIRED)
        known = {one.value: one for one in Channel}
        if any(name not in known for name in names):
            raise Refusal(ErrorCode.UNKNOWN_CHANNEL)
        channels = [known[name] for name in dict.fromkeys(names)]
        for channel in channels:
            self._check_subscribe(channel, asked)
        frames: list[bytes] = []
        for channel in channels:
            frames += self._subscribe_channel(channel, asked)
        return frames + self._about_unknown(asked)

    def _check_subscribe(self, channel: Channel, asked: _Asked) -> None:
        params, traits = asked.params, TRAITS[channel]
        if not self.user_id:
            raise Refusal(ErrorCode.AUTHENTICATION_REQUIRED)
        check_markets(params)
        if params.ids() and not traits.market_ids:
            raise Refusal(ErrorCode.INVALID_PARAMETER)
        if traits.filter is Filter.MARKETS_REQUIRED and not params.tickers():
            raise Refusal(ErrorCode.MARKET_REQUIRED)
        if channel is Channel.COMMUNICATIONS:
            check_shards(params)
            if params.user_filter not in {None, "", "self"}:
                raise Refusal(ErrorCode.INVALID_PARAMETER)
        if names_markets(channel, params):
            self._check_limit(self._subscriptions.get(channel), asked)

    def _check_limit(self, subscription: Subscription | None, asked: _Asked) -> None:
        covered = subscription.tickers or {} if subscription is not None else {}
        if len(covered.keys() | asked.markets.keys()) > self._limits.markets_max:
            raise Refusal(ErrorCode.MARKET_LIMIT_EXCEEDED)

    def _subscribe_channel(self, channel: Channel, asked: _Asked) -> list[bytes]:
        params, subscription = asked.params, self._subscriptions.get(channel)
        is_new = subscription is None
        if subscription is None:
            self._last_sid += 1
            subscription = self._subscriptions[channel] = Subscription(
                channel,
                self._last_sid,
                tickers={} if names_markets(channel, params) else None,
                use_yes_price=params.use_yes_price is True,
                skips_tickers=params.skip_ticker_ack,
                only_self=params.user_filter == "self",
                shard_factor=params.shard_factor or 1,
                shard_key=params.shard_key or 0,
            )
        elif not names_markets(channel, params):
            subscription.tickers = None
        news = subscription.add(asked.markets)
        subscription.names.update(dict.fromkeys(names_of(channel, params)))
        if is_new:
            msg = {"channel": channel.value, "sid": subscription.sid}
            frames = [self._frames.frame("subscribed", asked.now, asked.command_id, msg=msg)]
        else:
            frames = [self._ok(subscription, asked)]
        return frames + self._first_news(subscription, news, asked)

    def _first_news(
        self, subscription: Subscription, news: list[Ticker], asked: _Asked
    ) -> list[bytes]:
        """What a market begins with: the snapshot of its book, or its ticker if that is wanted."""
        if subscription.channel is Channel.ORDERBOOK:
            return self._snapshots(subscription, news, asked.now)
        if subscription.channel is Channel.TICKER and asked.params.send_initial_snapshot:
            tops = [top for one in news if (top := self._markets.top(one)) is not None]
            publications = [Publication(top, self._markets) for top in tops]
            return [self._news(subscription, one, asked.now) for one in publications]
        return []

    def _snapshots(
        self,
        subscription: Subscription,
        tickers: Iterable[Ticker],
        now: Instant,
        command_id: int = 0,
    ) -> list[bytes]:
        frames: list[bytes] = []
        for ticker in tickers:
            book = self._markets.book(ticker)
            if book is not None:
                publication = Publication(book, self._markets)
                frames.append(self._news(subscription, publication, now, command_id))
        return frames

    def _unsubscribe(self, asked: _Asked) -> list[bytes]:
        sids = asked.params.sids or ()
        if not sids:
            raise Refusal(ErrorCode.SIDS_REQUIRED)
        by_sid = {one.sid: one for one in self._subscriptions.values()}
        if any(sid not in by_sid for sid in sids):
            raise Refusal(ErrorCode.UNKNOWN_SID)
        ended = [self._subscriptions.pop(by_sid[sid].channel) for sid in dict.fromkeys(sids)]
        return [
            self._frames.frame(
                "unsubscribed", asked.now, asked.command_id, sid=one.sid, seq=one.next_seq()
            )
            for one in ended
        ]

    def _update(self, asked: _Asked) -> list[bytes]:
        subscription = self._one_subscription(asked.params)
        if not asked.params.action:
            raise Refusal(ErrorCode.ACTION_REQUIRED)
        actions = {one.value: one for one in ACTIONS[subscription.channel]}
        action = actions.get(asked.params.action)
        if action is None:
            raise Refusal(ErrorCode.UNSUPPORTED_ACTION)
        match action:
            case Action.LIST_INDICES | Action.LIST_UNDERLYINGS:
                return [self._names_listing(subscription, asked)]
            case Action.ADD_MARKETS | Action.DELETE_MARKETS | Action.GET_SNAPSHOT:
                self._check_update(subscription, asked)
                return self._update_markets(subscription, action, asked)
            case _:
                return self._update_names(subscription, action, asked)

    def _one_subscription(self, params: Params) -> Subscription:
        sids = params.sids or ()
        if (params.sid is None) == (not sids) or len(sids) > 1:
            raise Refusal(ErrorCode.ONE_SID_REQUIRED)
        wanted = (params.sid, *sids)
        for subscription in self._subscriptions.values():
            if subscription.sid in wanted:
                return subscription
        raise Refusal(ErrorCode.UNKNOWN_SID)

    def _check_update(self, subscription: Subscription, asked: _Asked) -> None:
        params = asked.params
        check_markets(params)
        if params.ids() and not TRAITS[subscription.channel].market_ids:
            raise Refusal(ErrorCode.INVALID_PARAMETER)
        if not params.tickers() and not params.ids():
            raise Refusal(ErrorCode.MARKET_REQUIRED)
        if params.action == Action.ADD_MARKETS:
            self._check_limit(subscription, asked)

    def _update_markets(
        self, subscription: Subscription, action: Action, asked: _Asked
    ) -> list[bytes]:
        if action is Action.GET_SNAPSHOT:
            tickers, command_id = asked.markets, asked.command_id
            frames = self._snapshots(subscription, tickers, asked.now, command_id)
            return frames + self._about_unknown(asked)
        if action is Action.ADD_MARKETS:
            news = subscription.add(asked.markets)
            frames = [self._ok(subscription, asked), *self._first_news(subscription, news, asked)]
            return frames + self._about_unknown(asked)
        # A market that is gone may still be taken off the list.
        subscription.remove((*asked.markets, *map(Ticker, asked.unknown)))
        return [self._ok(subscription, asked)]

    def _update_names(
        self, subscription: Subscription, action: Action, asked: _Asked
    ) -> list[bytes]:
        names = names_of(subscription.channel, asked.params)
        if not names:
            is_pyth = subscription.channel is Channel.PYTH
            raise Refusal(
                ErrorCode.UNDERLYINGS_REQUIRED if is_pyth else ErrorCode.INDEX_IDS_REQUIRED
            )
        if action in {Action.SUBSCRIBE_INDICES, Action.SUBSCRIBE_UNDERLYINGS}:
            subscription.names.update(dict.fromkeys(names))
        elif ALL_NAMES in names:
            subscription.names.clear()
        else:
            for name in names:
                subscription.names.pop(name, None)
        return [self._ok(subscription, asked)]

    # -- frames ----------------------------------------------------------------

    def _names_listing(self, subscription: Subscription, asked: _Asked) -> bytes:
        channel = subscription.channel
        key, suffix = NAMES_KEY[TRAITS[channel].filter]
        listed = sorted(self._listed.get(channel, tuple[str, ...])())
        return self._frames.frame(
            channel.value + suffix,
            asked.now,
            asked.command_id,
            sid=subscription.sid,
            seq=subscription.next_seq(),
            msg={key: listed},
        )

    def _ok(self, subscription: Subscription, asked: _Asked) -> bytes:
        """An acknowledgement with everything that the subscription covers now."""
        return self._frames.frame(
            "ok",
            asked.now,
            asked.command_id,
            sid=subscription.sid,
            seq=subscription.next_seq(),
            msg=subscription.covered() or None,
        )

    def _about_unknown(self, asked: _Asked) -> list[bytes]:
        """The error that names the markets that there are none of."""
        if not asked.unknown:
            return []
        msg = {"market_ticker": asked.unknown[0]}
        if len(asked.unknown) > 1:
            msg = {"market_tickers": asked.unknown}
        code = ErrorCode.INVALID_PARAMETER
        return [self._error(code, asked.now, asked.command_id, about=msg)]

    def _error(
        self,
        code: ErrorCode,
        now: Instant,
        command_id: int = 0,
        *,
        about: Mapping[str, object] | None = None,
        subscription: Subscription | None = None,
    ) -> bytes:
        msg = {"code": int(code), "msg": ERROR_TEXTS[code], **(about or {})}
        sid = seq = 0
        if subscription is not None:
            sid = subscription.sid
            seq = subscription.next_seq() if TRAITS[subscription.channel].sequenced else 0
        return self._frames.frame("error", now, command_id, sid=sid, seq=seq, msg=msg)

    def _news(
        self,
        subscription: Subscription,
        publication: Publication,
        now: Instant,
        command_id: int = 0,
    ) -> bytes:
        body = publication.body(
            use_yes_price=subscription.use_yes_price, is_own=publication.user == self.user_id
        )
        seq = subscription.next_seq() if publication.sequenced else 0
        head = self._frames.head(publication.type, now, command_id, sid=subscription.sid, seq=seq)
        return b'%b,"msg":%b}\n' % (head, body)
