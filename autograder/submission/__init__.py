"""Unpacks a submission, reads every supported format and sorts its files into the assignment's sections. Runs nothing."""
