"""Fixtures and helpers that several test files share. ``tests`` is on the import path: ``from support.project import ROOT``."""
