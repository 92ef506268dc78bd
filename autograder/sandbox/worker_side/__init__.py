"""What runs in the processes that student code runs in. Imports nothing of the judge's."""
