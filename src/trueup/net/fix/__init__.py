"""FIX over TLS: a client that comes back, and a listening side."""
