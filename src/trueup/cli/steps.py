"""Commands that run other commands, step by step, in a home of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trueup.cli.output import Output

_KEPT_VARIABLES: Final = ("HOME", "PATH", "LANG", "TERM", "TMPDIR")


class Gathering(Output):
    """The output of one step with `--json`: kept for the whole command's own object."""

    def __init__(self, steps: list[Mapping[str, Any]]) -> None:
        super().__init__(as_json=True, verbose=False)
        self._gathered = steps

    def emit(self, finished: Mapping[str, Any]) -> None:
        """Keep what a step has to say."""
        self._gathered.append(finished)


def kept_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the user's environment the steps get: nothing that names an account or a key."""
    return {name: value for name, value in environment.items() if name in _KEPT_VARIABLES}
