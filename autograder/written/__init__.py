"""What people read and write: the rubric for readers, sheets, templates, the final grades."""
