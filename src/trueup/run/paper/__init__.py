"""How does a paper account trade?  The real exchange is listened to; orders stay here."""
