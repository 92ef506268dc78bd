"""Recognises the collaborators statement, which belongs at the very beginning of a write-up."""

from __future__ import annotations

import re

HEADING = re.compile(
    r"^[^\w\n]*(?:(?:statement|acknowledge?ments?|disclosure|declaration) (?:on|of|about) )?(?:the )?(?:use of )?"
    r"(?:collaborat(?:ors?|ions?)|acknowledge?ments?|(?:ai|llm)(?: tools?)?(?: usage| use)|help received|people i worked with)"
    r"(?: and [\w ]{2,30}| & [\w ]{2,30})?(?: policy| statement| disclosure)?[^\w\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
# Before the first answer there is only a title and a name, so one of these words is enough.
AT_BEGINNING = re.compile(
    r"\b(?:collaborat\w*|acknowledg\w*|thank\w*|help(?:ed|s|ing|ful)?|discuss\w*|assist\w*|consult\w*|tutor\w*|partner\w*|"
    r"teammates?|classmates?|friends?|peers?|office hours|stack ?overflow|TAs?|"
    r"chatgpt|gpt-?\d\w*|(?:us(?:ed|ing)|with|asked|any|no) (?:an? )?(?:gpt|llms?|ai)|claude|gemini|copilot|deepseek|"
    r"alone|independent(?:ly)?|individual(?:ly| work| effort| submission)|solo|by myself|(?:just|only) me|on my own|"
    r"my own (?:work|effort)|chat ?bots?|"
    r"nobody|no ?-?one|anyone|anybody|someone|unaided|no (?:other )?(?:help|aid|one|person|people|sources|assistance)|"
    r"(?:work(?:ed|ing)?|together|studied|study group) with|explained|sources used)\b|\b(?-i:AI|A\.I\.)(?!\w)",
    re.IGNORECASE,
)
ANYWHERE = re.compile(
    r"\bcollaborat(?:or|ion|ed)|\backnowledg|\bAI (?:tool|assist)|\bchatgpt\b|\bcopilot\b"
    r"|\b(?:work|did|done|complet|solv|wr[io]t)\w*\b[^.]{0,60}\b(?:alone|independent(?:ly)?|by myself|on my own)\b"
    r"|\b(?:I|we)\b[^.]{0,40}\b(?:discussed|thank|asked|(?:worked|talked|studied) (?:together )?with)"
    r"|\b(?:used|consulted|asked) (?:gpt|claude|gemini|an llm)|\bthanks to [A-Z]",
    re.IGNORECASE,
)
STOP = re.compile(r"(?<=\w\w)[.!](?=\s|$)")
SMALL_WORD = re.compile(r"(?<![\w@.])[a-z]\w+(?![\w@])")  # three and a full stop make a sentence, not a title or a name


def judge_text(before: str, behind: str) -> str:
    """Where the statement is, given the text ``before`` the first answer and the text ``behind`` that point.

    Returns "beginning", "likely" if a word at the beginning speaks for it, "elsewhere", "perhaps" if there are other sentences
    at the beginning, or "" if there is none.
    """
    heading = HEADING.search(before)
    if heading and re.search(r"\w|[–—-]", before[heading.end() :]):
        return "beginning"
    if not heading and AT_BEGINNING.search(before):
        return "likely"
    if ANYWHERE.search(behind):
        return "elsewhere"
    sentences = STOP.split(before)[:-1]
    return "perhaps" if any(len(SMALL_WORD.findall(sentence)) >= 3 for sentence in sentences) else ""
