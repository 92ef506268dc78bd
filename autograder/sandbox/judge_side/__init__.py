"""The judge's half of the sandbox: it starts workers, sends them requests and distrusts their replies."""
