"""What contributions and votes mean together: themes, duplicates, arguments, opinion groups."""
