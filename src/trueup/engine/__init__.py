"""The trader's machine: what do we do next?  No clock, no socket, no file of its own."""
