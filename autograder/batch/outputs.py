"""Files that mark an output folder as a class's, whichever command (`batch` or `alike`) created it."""

STORE, ALIKE = "store.sqlite", "alike.json"
OWN_FILES = (STORE, ALIKE)
