"""The exchange's WebSocket, both ends of it, without a socket."""
