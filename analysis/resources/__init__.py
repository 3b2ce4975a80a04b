"""Data of the analysis: rules, lexicons and templates, each with its source and licence in SOURCES.md."""
