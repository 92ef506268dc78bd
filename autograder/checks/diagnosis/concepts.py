"""What a line is asked when an edit of it would repair an answer, by concept. An assignment's rules may have their own."""

from __future__ import annotations

from collections.abc import Mapping

CONCEPTS: dict[str, str] = {
    "transpose": "which dimensions of the two sides have to meet in this product, and which may change places?",
    "operand order": "which of the two comes first?",
    "matrix product": "is this number by number, or each row with each column?",
    "swapped dimensions": "which two dimensions change places here, and do they have to?",
    "comparison": "what has to hold of these two, and what if they are equal?",
    "condition": "when does this hold, and what should be done then?",
    "leading dimensions": "how many dimensions do the two sides of this product have, and how many does it take?",
    "kept dimension": "which shape has this, and along which dimension does it meet what it is combined with?",
    "accumulation": "does each round of the loop add to what is there, or replace it?",
    "scale": "what exactly are the numbers multiplied or divided by?",
    "whole number": "does this give a whole number?",
    "sign": "which sign should this have?",
    "operator": "are these added, subtracted, multiplied or divided?",
    "mask side": "which entries does this choose, those to hide or those to keep?",
    "mask fill": "what do the hidden entries have to be, so that they have no weight after the softmax?",
    "less or equal": "which side is larger here, and what if both are equal?",
    "triangle": "which triangle is this, and does the diagonal belong to it?",
    "fill": "what are the numbers in this tensor at the beginning?",
    "softmax axis": "over which dimension do these weights have to sum to one?",
    "softmax": "is this the function that makes weights of scores?",
    "contiguous": "do the numbers still lie in their order in memory here?",
    "dimension order": "in which order do the dimensions come before and after this step?",
    "dimension": "along which dimension does this work, for every number of dimensions?",
    "joining": "along which dimension do these come together?",
    "mean or sum": "is it a sum or a mean that is wanted?",
    "extremum": "is it the largest or the smallest, the value or its place?",
    "gradient": "do gradients still flow through this?",
    "tensor": "is this still a tensor?",
    "device": "is there such a device on every machine?",
    "number type": "of which type are these numbers, and of which do they have to be?",
    "text": "is this the right number?",
    "number": "is this the right number?",
    "option": "is this option right?",
    "size": "which size of the tensor is this?",
    "order of sizes": "in which order does the tensor have these sizes?",
    "fixed size": "is this number the same for every input?",
    "index": "which part does this take?",
    "one step too many": "is this step needed here?",
    "missing step": "is a step missing here?",
    "return value": "what is handed back to the caller at the end?",
    "argument order": "in which order does this take its arguments?",
    "unpacking": "does this take one list, or its elements one by one?",
    "argument": "does this need all of its arguments?",
    "name": "is this the right variable?",
    "letters": "which dimension does each of these letters or names stand for, and in which order have they to come out?",
    "loop": "up to where does this loop have to run?",
    "function": "is this the right function?",
    "train": "in which mode does the model have to be here?",
    "eval": "in which mode does the model have to be here?",
    "order of steps": "what has to happen before this?",
    "indentation": "does this belong inside the block above, or after it?",
}


def question_about(concept: str, own: Mapping[str, str]) -> str:
    """The question for a concept, the assignment's ``own`` first."""
    return own.get(concept) or CONCEPTS.get(concept, "is this right?")
