"""What was handed in: unpacked, read in whatever format it came, sorted into the assignment's sections. Nothing is run here."""
