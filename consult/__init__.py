"""Consult: the platform on which an administration consults citizens, and proves that it did so fairly."""

__version__ = "0.1.0"
