"""Commands on codebooks themselves: convert, compare, complete."""
