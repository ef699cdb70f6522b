"""What is recorded and replayed?  The archive, downloads, tapes and backtests."""
