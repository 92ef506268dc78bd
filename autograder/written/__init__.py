"""The half that people read: its rubric, what is rendered from it, the check of a PDF, and the final grade."""
