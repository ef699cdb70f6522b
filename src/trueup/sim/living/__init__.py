"""A market that lives: events that come and go, what is hidden behind them, and who trades them."""
