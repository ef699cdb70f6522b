"""What is done over FIX?  Listening, reports, and the road of orders."""
