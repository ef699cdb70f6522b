"""From nothing to a proven account, on the built-in sandbox: no key, no network.

python examples/reconcile.py
"""

from __future__ import annotations

import trueup


def main() -> None:
    """Fetch everything, prove it, and show the open positions."""
    with trueup.open_account(venue="sandbox") as account:
        account.backfill()

        print(account.reconcile().verdict.words())

        for position in account.get_open_positions_summary():
            print(
                position["ticker"],
                position["side"],
                position["quantity"],
                "unrealised",
                position["unrealized_pnl"],
            )


if __name__ == "__main__":
    main()
