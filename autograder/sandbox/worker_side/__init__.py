"""What runs in the processes that student code runs in. Imports nothing from the judge's side."""
