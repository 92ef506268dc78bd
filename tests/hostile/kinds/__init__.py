"""Hostile submissions that are made by code, by kind: each module holds some in its ``CASES``."""
