answers = {"add": lambda a, b: a + b}
