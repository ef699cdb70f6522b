"""Built-in worlds: what happened to an invented account, generated from a seed."""
