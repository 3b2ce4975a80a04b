"""Coding of contributions by an approved codebook."""
