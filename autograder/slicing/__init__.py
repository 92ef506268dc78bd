"""The statements that a question needs, and which value of a name counts for it. Nothing is run here."""
