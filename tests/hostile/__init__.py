"""Submissions that attack the grader, and what has to hold all the same."""
