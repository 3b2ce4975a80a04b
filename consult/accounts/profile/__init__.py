"""Changing one's own pseudonym and address."""
