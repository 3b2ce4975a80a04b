"""A bill, article by article: its tree, its numbering, and the versions that citizens give of its articles."""
