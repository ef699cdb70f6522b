"""Which of a bot's feeds are heard, since when, and what their last trouble was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from trueup.core.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One feed.  `heard_at` is when it last brought something (or said that all is well)."""

    name: str
    heard_at: Instant | None = None
    failed_at: Instant | None = None
    words: str = ""
    """What went wrong last; empty since it was heard again."""

    @property
    def is_up(self) -> bool:
        """Whether it was heard and has not failed since."""
        return self.heard_at is not None and not self.words


@dataclass(slots=True)
class Connections:
    """All feeds of a bot by name."""

    _known: dict[str, Connection] = field(default_factory=dict[str, Connection])

    def expect(self, name: str) -> None:
        """There is such a feed; nothing was heard of it yet."""
        self._known.setdefault(name, Connection(name=name))

    def heard(self, name: str, at: Instant) -> None:
        """Something came."""
        known = self._known.get(name) or Connection(name=name)
        self._known[name] = replace(known, heard_at=at, words="")

    def failed(self, name: str, at: Instant, words: str) -> None:
        """It broke, or a read failed."""
        known = self._known.get(name) or Connection(name=name)
        self._known[name] = replace(known, failed_at=at, words=words)

    def all(self) -> tuple[Connection, ...]:
        """Every feed, by name."""
        return tuple(self._known[name] for name in sorted(self._known))
