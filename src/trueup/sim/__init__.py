"""What would the exchange do?  A pure machine; others carry its words."""
