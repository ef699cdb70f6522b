"""The records of the REST API: one file per noun, JSON bytes in, core values out.

Each file holds the struct of the fields that are read, the names of all fields
that are known (also those that are ignored or that the exchange has dropped),
and a function that turns one raw record into its core value.  Every record is
read in the present form (dollar strings and ``_fp`` counts), in the integer
form of before March 2026, and in the shapes in between.
"""
