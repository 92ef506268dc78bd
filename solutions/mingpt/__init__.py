"""A small GPT to experiment with.

The model is in model.py, its training in trainer.py, text in data.py, metrics in evaluate.py, the n-gram models to beat in
ngram.py. It follows Andrej Karpathy's minGPT (https://github.com/karpathy/minGPT) and keeps its names and defaults, with one
change: attention is passed in, as ``attn_init_fn`` and ``attn_fn``.
"""
