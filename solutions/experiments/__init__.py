"""One small file for each idea of §2.2, each changing one thing about the model; run.py trains and compares them."""
