"""The server side: carries the sandbox exchange over real sockets."""
