"""What the judge does with workers: starts them, asks them, probes their cage. Believes nothing."""
