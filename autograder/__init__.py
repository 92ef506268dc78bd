"""An autograder for notebooks: intake -> slice -> worker -> judge -> results.

The engine in this package knows nothing of any one assignment; everything that is
"Attention and Transformers" lies in ``autograder/assignment/`` and is handed to it.
"""

__version__ = "0.1.0"
