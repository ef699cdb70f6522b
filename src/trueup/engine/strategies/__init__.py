"""The strategies that ship.  Each says its idea, its parameters and its limits."""
