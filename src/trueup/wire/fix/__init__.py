"""FIX as Kalshi speaks it: FIXT.1.1 carrying FIX 5.0 SP2, without a socket."""
