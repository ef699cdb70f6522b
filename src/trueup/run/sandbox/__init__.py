"""Which exchanges run here?  The built-in one, the living one, and the simulated one."""
