"""The end-of-mission package of a closed consultation, made on demand for its administrator."""
