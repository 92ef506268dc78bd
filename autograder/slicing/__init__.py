"""Finds the statements that a question needs, and the value of a name that counts for it. Runs nothing."""
