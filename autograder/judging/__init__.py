"""The verdict: hidden tests over proxies of the student's functions, what is wrong in words, results.json. No torch, no student code."""
