from otter.test_files import test_case

OK_FORMAT = False

name = "3.collate"


@test_case()
def has_both_encodings(probe, check):
    """A batch is a dict of tensors: "text_encoding" with input_ids and attention_mask, and "label_encoding"."""
    check.rules.finetuning.judge(check, "3.collate", probe, "well_formed")


@test_case()
def encodes_the_texts_in_order(probe, check):
    """Every sample becomes one row of input_ids, in order."""
    check.rules.finetuning.judge(check, "3.collate", probe, "right_texts")


@test_case()
def pads_to_the_longest(probe, check):
    """A batch is padded to its longest sentence."""
    check.rules.finetuning.judge(check, "3.collate", probe, "longest")


@test_case()
def cuts_at_512_tokens(probe, check):
    """A text of more than 512 tokens is truncated to 512."""
    check.rules.finetuning.judge(check, "3.collate", probe, "truncated")


@test_case()
def masks_padding(probe, check):
    """attention_mask is 1 for tokens and 0 for padding."""
    check.rules.finetuning.judge(check, "3.collate", probe, "masked")


@test_case()
def labels_are_long(probe, check):
    """label_encoding holds the labels of the samples, as torch.long."""
    check.rules.finetuning.judge(check, "3.collate", probe, "labelled")
