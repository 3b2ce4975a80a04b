"""Flat and cross tables of closed answers."""
