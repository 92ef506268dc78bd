"""What every other package speaks of: the assignment, verdicts, errors, files, tables, archives. Imports no other but ``checks``."""
