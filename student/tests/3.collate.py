from otter.test_files import test_case

OK_FORMAT = False

name = "3.collate"
points = None

@test_case(points=None, hidden=False)
def has_both_encodings(probe, check):
    """A batch is a dict of tensors: "text_encoding" with input_ids and attention_mask, and "label_encoding"."""
    check.rules.finetuning.judge(check, '3.collate', probe, 'contract')

@test_case(points=None, hidden=False)
def encodes_the_texts_in_order(probe, check):
    """Every sample becomes one row of input_ids, in order."""
    check.rules.finetuning.judge(check, '3.collate', probe, 'right_texts')

@test_case(points=None, hidden=False)
def pads_to_the_longest(probe, check):
    """A batch is padded to its longest sentence."""
    check.rules.finetuning.judge(check, '3.collate', probe, 'longest')

@test_case(points=None, hidden=False)
def cuts_at_512_tokens(probe, check):
    """A longer text is cut at 512 tokens."""
    check.rules.finetuning.judge(check, '3.collate', probe, 'truncated')

@test_case(points=None, hidden=False)
def masks_padding(probe, check):
    """attention_mask is 1 for tokens and 0 for padding."""
    check.rules.finetuning.judge(check, '3.collate', probe, 'masked')

@test_case(points=None, hidden=False)
def labels_are_long(probe, check):
    """label_encoding holds the labels in order, as torch.long."""
    check.rules.finetuning.judge(check, '3.collate', probe, 'labelled')

