"""How did trading go?  The weekly report, its tables and its pictures."""
