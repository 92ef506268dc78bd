"""The ways to break a rule of section 3; known mistakes are recognised by them."""

from __future__ import annotations

from enum import Enum


class Symptom(str, Enum):
    """What is wrong, in a few words; the rule that reports it has the message for the student."""

    # any item
    OTHERWISE = "otherwise"
    NOTHING_RETURNED = "nothing returned"
    NO_NUMBER = "no number"

    # 3.dataset.len
    NO_WHOLE_NUMBER = "no whole number"
    CONSTANT = "constant"
    ONE_TOO_FEW = "one too few"
    ONE_TOO_MANY = "one too many"

    # 3.dataset.getitem
    NO_LABEL = "no label"
    TOKENS_ALONE = "tokens alone"
    WRONG_LABEL = "wrong label"
    NEITHER_TEXT_NOR_LABEL = "neither text nor label"
    NO_TEXT = "no text"
    ALWAYS_THE_FIRST = "always the first"
    OFF_BY_ONE = "off by one"
    ANOTHER_EXAMPLE = "another example"
    ANOTHER_EACH_TIME = "another each time"
    NO_EXAMPLE = "no example"
    MISFIT = "misfit"

    # 3.dataset.iter
    NO_ITEMS = "no items"
    ONE_ITEM = "one item"
    RUN_DRY = "run dry"
    LAST_MISSING = "last missing"
    TOO_FEW_ITEMS = "too few items"
    TOO_MANY_ITEMS = "too many items"
    ANOTHER_ORDER = "another order"
    INDICES = "indices"
    TEXTS_ALONE = "texts alone"
    LABELS_ALONE = "labels alone"
    OTHER_ITEMS = "other items"
    NO_ITERATOR = "no iterator"
    ITSELF_NO_ITERATOR = "itself no iterator"

    # 3.collate: what comes back
    NOT_STATIC = "not static"
    NO_DICT = "no dict"
    OTHER_KEYS = "other keys"
    ENCODED_ONE_BY_ONE = "encoded one by one"
    IDS_ALONE = "ids alone"
    TENSOR_MISSING = "tensor missing"
    NO_TENSOR = "no tensor"
    ARRAY_NO_TENSOR = "array no tensor"
    LABELS_NO_TENSOR = "labels no tensor"
    OTHER_DIMENSIONS = "other dimensions"
    FIRST_TEXT_ONLY = "first text only"
    TEXTS_JOINED = "texts joined"
    OTHER_ROWS = "other rows"

    # 3.collate: texts
    NO_SPECIAL_TOKENS = "no special tokens"
    CUT_SHORT = "cut short"
    OTHER_TOKENS = "other tokens"
    PADDED_TO_THE_MAXIMUM = "padded to the maximum"
    PADDED_OTHERWISE = "padded otherwise"
    NOT_TRUNCATED = "not truncated"
    TRUNCATED_TOO_SHORT = "truncated too short"
    TRUNCATED_OTHERWISE = "truncated otherwise"

    # 3.collate: masks and labels
    MASK_ALL_ONES = "mask all ones"
    OTHER_MASK = "other mask"
    LABELS_ONE_HOT = "labels one hot"
    LABELS_A_COLUMN = "labels a column"
    LABELS_OTHER_SHAPE = "labels other shape"
    LABELS_IN_ANOTHER_ORDER = "labels in another order"
    OTHER_LABELS = "other labels"
    LABELS_FLOAT = "labels float"
    LABELS_OTHER_DTYPE = "labels other dtype"

    # 3.compute_accuracy
    COUNT = "count"
    WRONG_SHARE = "wrong share"
    ROUNDED = "rounded"
    ROUNDED_TO_DIGITS = "rounded to digits"
    WHOLE_NUMBER = "whole number"
    BY_CLASSES = "by classes"
    FIRST_PAIR = "first pair"
    ONES_ALONE = "ones alone"
    ARGMAX_OF_CLASSES = "argmax of classes"
    OTHER_MEASURE = "other measure"

    # 3.evaluate, 3.train_one_epoch: what the model is called with
    LOADER_IGNORED = "loader ignored"
    NO_MASK = "no mask"

    # 3.evaluate
    OTHER_COUNTS = "other counts"
    OTHER_DIVISOR = "other divisor"
    KEPT_BETWEEN_CALLS = "kept between calls"
    BY_ITS_BATCH = "by its batch"
    SINGLE_SENTENCE = "single sentence"
    OVER_SENTENCES = "over sentences"
    IN_TRAINING_MODE = "in training mode"
    GRAPH_BUILT = "graph built"
    GRADIENTS_LEFT_OFF = "gradients left off"
    WEIGHTS_MOVED = "weights moved"
    MEAN_OF_BATCHES = "mean of batches"
    LAST_BATCH = "last batch"
    FIRST_BATCH = "first batch"
    BY_BATCHES = "by batches"
    SUM_OF_BATCHES = "sum of batches"
    MEAN_LOSS = "mean loss"
    MEAN_LOSS_OF_BATCHES = "mean loss of batches"
    SCORES_AS_CLASSES = "scores as classes"
    OTHER_CLASSES = "other classes"
    OTHER_LABELS_PASSED = "other labels passed"

    # 3.train_one_epoch: whether it learns
    NEVER_CALLED = "never called"
    NO_BACKWARD = "no backward"
    NO_STEP = "no step"
    STEPS_BY_ANOTHER = "steps by another"
    NOTHING_MOVES = "nothing moves"
    PARTLY_FROZEN = "partly frozen"
    STEP_FIRST_AND_CLEARED = "step first and cleared"
    CLEARED_BEFORE_STEP = "cleared before step"

    # 3.train_one_epoch: the order of calls
    STEP_BEFORE_BACKWARD = "step before backward"
    STEP_TWICE = "step twice"
    STEP_ONCE = "step once"
    LAST_UNUSED_AFTER_ONE_STEP = "last unused after one step"
    LAST_UNUSED = "last unused"
    GRADIENTS_PILE_UP = "gradients pile up"
    OTHER_GRADIENTS = "other gradients"
    NOT_IN_TRAINING_MODE = "not in training mode"
    LEAVES_TRAINING_MODE = "leaves training mode"

    # 3.train_one_epoch: which batches, which loss
    FIRST_BATCH_ONLY = "first batch only"
    ONE_BATCH_ONLY = "one batch only"
    FIRST_BATCH_SKIPPED = "first batch skipped"
    SOME_BATCHES = "some batches"
    BACKWARD_ONCE = "backward once"
    BATCHES_TWICE = "batches twice"
    BATCHES_REPEATED = "batches repeated"
    BATCHES_OTHERWISE = "batches otherwise"
    LOSS_NEGATED = "loss negated"
    SOFTMAX_BEFORE_LOSS = "softmax before loss"
    SIGMOID_BEFORE_LOSS = "sigmoid before loss"
    NO_LOGARITHM = "no logarithm"
    SQUARED_ERRORS = "squared errors"
    OTHER_LOSS = "other loss"

    # 3.main: the loop
    NO_EPOCH = "no epoch"
    NO_COLLATE_FN = "no collate_fn"
    NO_BATCHES = "no batches"
    TRAINING_RAISES = "training raises"
    USED_UP = "used up"
    TRAINED_ON_TEST = "trained on test"
    TRAINED_ON_VALIDATION = "trained on validation"
    FOREIGN_OPTIMIZER = "foreign optimizer"
    NEW_MODELS = "new models"
    ONE_EPOCH = "one epoch"
    ONE_EPOCH_FEWER = "one epoch fewer"
    LOOP_LEFT = "loop left"
    PARAMETER_IGNORED = "parameter ignored"
    OPTIMIZER_ANEW = "optimizer anew"
    BATCHES_OF_ONE = "batches of one"
    NOT_SHUFFLED = "not shuffled"
    NEVER_VALIDATED = "never validated"
    TESTED_INSTEAD = "tested instead"
    SMALL_GAIN_LOST = "small gain lost"
    TRAINING_EVALUATED = "training evaluated"
    EVALUATION_RAISES = "evaluation raises"
    VALIDATION_SHUFFLED = "validation shuffled"
    VALIDATION_CUT = "validation cut"

    # 3.main: the checkpoint
    NOT_CHOSEN = "not chosen"
    EVERY_EPOCH = "every epoch"
    NO_CHECKPOINT = "no checkpoint"
    PART_OF_THE_WEIGHTS = "part of the weights"
    NO_EPOCHS_WEIGHTS = "no epochs weights"
    UNLOADABLE = "unloadable"
    NO_WEIGHTS = "no weights"
    LAST_EPOCH = "last epoch"
    LAST_EPOCH_SOMEHOW = "last epoch somehow"
    EPOCH_AFTER_THE_BEST = "epoch after the best"
    LAST_EPOCH_REMEMBERED = "last epoch remembered"
    FIRST_EPOCH = "first epoch"
    WORST_EPOCH = "worst epoch"
    ANOTHER_EPOCH = "another epoch"


# They say that something is wrong, but not what was done: several mistakes have them in common, also ones that nobody has
# thought of. An answer with one of them is not called likely to be any known mistake.
UNSPECIFIC = frozenset(
    {
        Symptom.OTHERWISE,
        Symptom.NOTHING_RETURNED,
        Symptom.NO_NUMBER,
        Symptom.WRONG_LABEL,
        Symptom.NEITHER_TEXT_NOR_LABEL,
        Symptom.ANOTHER_EXAMPLE,
        Symptom.NO_EXAMPLE,
        Symptom.MISFIT,
        Symptom.NO_ITEMS,
        Symptom.TOO_FEW_ITEMS,
        Symptom.TOO_MANY_ITEMS,
        Symptom.OTHER_ITEMS,
        Symptom.TENSOR_MISSING,
        Symptom.OTHER_DIMENSIONS,
        Symptom.OTHER_ROWS,
        Symptom.CUT_SHORT,
        Symptom.OTHER_TOKENS,
        Symptom.PADDED_OTHERWISE,
        Symptom.TRUNCATED_OTHERWISE,
        Symptom.OTHER_MASK,
        Symptom.LABELS_OTHER_SHAPE,
        Symptom.OTHER_LABELS,
        Symptom.LABELS_OTHER_DTYPE,
        Symptom.WHOLE_NUMBER,
        Symptom.OTHER_COUNTS,
        Symptom.OTHER_DIVISOR,
        Symptom.KEPT_BETWEEN_CALLS,
        Symptom.BY_ITS_BATCH,
        Symptom.SINGLE_SENTENCE,
        Symptom.SCORES_AS_CLASSES,
        Symptom.OTHER_CLASSES,
        Symptom.OTHER_LABELS_PASSED,
        Symptom.NOTHING_MOVES,
        Symptom.OTHER_GRADIENTS,
        Symptom.ONE_BATCH_ONLY,
        Symptom.SOME_BATCHES,
        Symptom.BATCHES_REPEATED,
        Symptom.BATCHES_OTHERWISE,
        Symptom.OTHER_LOSS,
        Symptom.NO_BATCHES,
        Symptom.TRAINING_RAISES,
        Symptom.EVALUATION_RAISES,
        Symptom.NO_EPOCHS_WEIGHTS,
        Symptom.LAST_EPOCH_SOMEHOW,
        Symptom.ANOTHER_EPOCH,
    }
)

# How an observation's signature encodes them; 0 is a rule that was kept.
NUMBERS = {symptom: float(number) for number, symptom in enumerate(Symptom, 1)}
