"""The staff side of consultations: create, edit, steps, open, close, figures."""
