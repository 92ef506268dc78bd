"""The ideas of §2.2, one per file, each changing one thing about the model, or one package; run.py compares them."""
