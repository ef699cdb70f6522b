"""How does a bot run?  Its parts, its loops, its safety, and how an operator steers it."""
