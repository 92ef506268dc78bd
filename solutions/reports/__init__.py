"""The model answers of §2.2 and §3, written around their runs: ``python -m reports`` renders them into writeup/.

A template (``section2.md.j2``, ``section3.md.j2``) holds the sentences, a module beside it computes every number in them from
the runs, and ``must`` ties a sentence to the fact that it states: if new runs do not bear it out, rendering fails and says
which.
"""
