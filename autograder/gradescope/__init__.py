"""Gradescope's side: the archive, what its container runs, the image, the smoke test. Travels in the archive."""
