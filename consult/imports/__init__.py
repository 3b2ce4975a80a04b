"""What comes in as a file: reading, mapping, batches that can be undone."""
