"""Gradescope: the archive, what its container runs, the image and the smoke test. Part of the archive."""
