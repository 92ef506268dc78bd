"""Names by which the folders of a class are known: an export, and an output of `batch` or `alike`."""

import re

EXPORTED = re.compile(r"submission_\d+")  # each student's folder in Gradescope's export
STORE, ALIKE = "store.sqlite", "alike.json"
OWN_FILES = (STORE, ALIKE)  # mark an output folder as a class's, whichever command created it
