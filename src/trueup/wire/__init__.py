"""What does Kalshi say?  Its languages, without I/O.  Vendor spellings stop here."""
