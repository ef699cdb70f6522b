"""What do markets look like from outside?  The scanner, arbitrage, and one market as it moves."""
