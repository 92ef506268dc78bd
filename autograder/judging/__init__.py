"""The verdict: hidden tests on proxies of the student's functions, mistakes explained in words, results.json.

Imports neither torch nor student code.
"""
