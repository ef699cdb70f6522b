"""Who tests?  Builders and fakes, for this project's tests and for users' own."""
