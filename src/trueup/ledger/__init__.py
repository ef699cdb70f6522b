"""Who owns what, and is it true?  Double entry and proof, pure."""
