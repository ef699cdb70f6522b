"""What do the words mean?  Standard library only; no clock, file, socket or log."""
