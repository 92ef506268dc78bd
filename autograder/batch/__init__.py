"""A whole class: who handed in what (roster), what was found (store), processes that grade (lanes), what staff get."""
