"""A small GPT to experiment with.

The model is in model.py, its training in trainer.py, text in data.py, metrics in evaluate.py, the n-gram models to beat in
ngram.py. It follows Andrej Karpathy's minGPT (https://github.com/karpathy/minGPT) and the course's fork of it: their names, the
fork's ``attn_init_fn``, ``attn_fn`` and ``pad_token``, its learning rate and batch size. Known differences:

* ``Trainer``: an epoch takes every sentence once (minGPT draws with replacement); batches hold sentences of similar length
  unless ``skip_padding`` is off; with neither ``max_iters`` nor ``epochs`` it trains for one epoch (minGPT never stops);
  ``num_workers`` is 0 (minGPT: 4), since classes defined in a notebook cannot be sent to workers everywhere.
* ``GPT``: ``attn_pdrop`` is 0 (minGPT: 0.1) and applies to the default attention only; ``model_type`` is gpt-nano until you set
  another; there is no ``from_pretrained``.
* ``evaluate_losses`` in evaluate.py takes (model, dataset); the helper of that name in the course's notebook is defined there.
"""
