"""What is drawn for which question, and from which seed. Read by the bake alone: it ships in no archive."""

from .attention import draw, second_opinion, worlds

__all__ = ["draw", "second_opinion", "worlds"]
