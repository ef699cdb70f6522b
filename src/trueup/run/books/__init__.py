"""How do the books come about?  What is fetched, booked, proven, patched and handed on."""
