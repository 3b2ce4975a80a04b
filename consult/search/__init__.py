"""French full text, insensitive to accents, case and plurals, the same on both databases."""
