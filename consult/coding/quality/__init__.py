"""Measuring a coding: blind samples drawn from a run, shared, coded without a hint, measured."""
