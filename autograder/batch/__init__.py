"""Grading a whole class: the roster, the processes that grade, the store of verdicts, and the files staff get."""
