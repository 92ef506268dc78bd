"""What a class's folder holds beside what staff get; a folder with one of these files is a class's, whoever marked it."""

STORE, ALIKE = "store.sqlite", "alike.json"
OWN_FILES = (STORE, ALIKE)
