"""What the notebook imports: two short texts, and the functions that cut them into words. Students get this file as it is.

The texts are from the first chapters of Lewis Carroll's "Alice's Adventures in Wonderland" (1865), slightly shortened.
"""

import re
from collections import Counter

UNKNOWN, BOUNDARY = "<UNK>", "<S>"

TRAIN = """
Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do. Once or twice she had
peeped into the book her sister was reading, but it had no pictures or conversations in it. And what is the use of a book,
thought Alice, without pictures or conversations? So she was considering in her own mind, as well as she could, for the hot day
made her feel very sleepy and stupid, whether the pleasure of making a daisy-chain would be worth the trouble of getting up and
picking the daisies, when suddenly a white rabbit with pink eyes ran close by her. There was nothing so very remarkable in that.
Nor did Alice think it so very much out of the way to hear the rabbit say to itself, I shall be late. But when the rabbit
actually took a watch out of its waistcoat-pocket, and looked at it, and then hurried on, Alice started to her feet. It flashed
across her mind that she had never before seen a rabbit with either a waistcoat-pocket, or a watch to take out of it. Burning
with curiosity, she ran across the field after it, and was just in time to see it pop down a large rabbit-hole under the hedge.
In another moment down went Alice after it, never once considering how in the world she was to get out again. The rabbit-hole
went straight on like a tunnel for some way, and then dipped suddenly down. Either the well was very deep, or she fell very
slowly, for she had plenty of time as she went down to look about her, and to wonder what was going to happen next. First, she
tried to look down and make out what she was coming to, but it was too dark to see anything. Then she looked at the sides of the
well, and noticed that they were filled with cupboards and book-shelves. She took down a jar from one of the shelves as she
passed. It was labelled orange marmalade, but to her great disappointment it was empty. She did not like to drop the jar for
fear of killing somebody, so managed to put it into one of the cupboards as she fell past it.
"""

DEV = """
Alice was not a bit hurt, and she jumped up on to her feet in a moment. She looked up, but it was all dark. Before her was
another long passage, and the white rabbit was still in sight, hurrying down it. There was not a moment to be lost. Away went
Alice like the wind, and was just in time to hear it say, as it turned a corner, how late it is getting. She was close behind it
when she turned the corner, but the rabbit was no longer to be seen. She found herself in a long, low hall.
"""


def words_of(text):
    """A text as a list of words in lower case, with a boundary before the first sentence and after each of them."""
    found = re.findall(r"[a-z]+(?:-[a-z]+)*|[.?!]", text.lower())
    return [BOUNDARY, *(BOUNDARY if word in ".?!" else word for word in found)]


def vocabulary_of(words, least=2):
    """The words that occur at least so many times, in alphabetical order, among them the boundary; first the unknown word."""
    counted = Counter(words)
    return [UNKNOWN, *sorted(word for word, count in counted.items() if count >= least)]
