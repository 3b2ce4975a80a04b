"""Steps voted on by ballot: points to spread over the texts, or a ranking of some of them."""
