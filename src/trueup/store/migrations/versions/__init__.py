"""One module per version of the durable tables."""
