"""Consultations and their dated steps."""
