"""The standard library's ``tomllib``; on Python 3.10, which has none, the package that it was made from."""

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

__all__ = ["tomllib"]
