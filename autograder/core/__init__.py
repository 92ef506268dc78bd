"""What all other packages share: the assignment, verdicts, errors, files, tables and archives. Imports only ``checks``."""
