"""« Mes contributions et mes votes »: all that an account wrote and voted, page by page."""
