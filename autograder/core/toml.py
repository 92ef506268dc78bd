"""The standard library's ``tomllib``, or on Python 3.10 the ``tomli`` package it was derived from."""

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["tomllib"]
