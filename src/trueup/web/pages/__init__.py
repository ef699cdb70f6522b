"""The pages: each asks for values and lays them out; no rule lives here."""
