"""A small GPT to experiment with: the model (model.py), its training (trainer.py), text (data.py), measures (evaluate.py)
and the n-gram models to beat (ngram.py).

In the spirit of Andrej Karpathy's minGPT (https://github.com/karpathy/minGPT), whose names and defaults it keeps, with
one change: attention itself is handed in, as ``attn_init_fn`` and ``attn_fn``.
"""
