"""The messages of Kalshi's FIX by section of its pages.  Each class is a dictionary entry."""
