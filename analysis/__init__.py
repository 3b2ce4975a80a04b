"""Analysis of what citizens wrote and answered, from published files alone.

Files or arrays in, frozen results out: no web framework, no database, no part of the platform.
"""

__version__ = "0.1.0"
