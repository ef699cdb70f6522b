"""Who types?  One file per command group."""
