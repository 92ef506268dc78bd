"""A whole class: who handed in what, what was found, processes that grade, what staff get."""
