"""What the pages show, as pure values of the books and of the bot's status."""
