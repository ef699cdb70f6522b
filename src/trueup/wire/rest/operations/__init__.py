"""The table of operations, one file per section of the exchange's API."""
