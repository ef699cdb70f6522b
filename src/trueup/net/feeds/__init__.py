"""What the world outside the exchange says: news, probabilities, another venue's prices."""
