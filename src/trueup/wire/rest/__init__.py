"""The REST language: one file per section of the exchange's API."""
