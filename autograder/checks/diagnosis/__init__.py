"""What is known about why an answer is wrong: by its results, by the exception that it raises, or by an edit that repairs it.

Only public inputs are looked at. Every sentence is a fact about them, or a question about a line that an edit would have to
change; none says more than was found out. The grader and the check cells run the same code, which needs numpy only.
"""
