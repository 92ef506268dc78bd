"""From solutions, inputs and the bank of mistakes to the baked file that a grader needs."""
