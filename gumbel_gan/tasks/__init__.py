"""Sources of sequences."""

from gumbel_gan.tasks.grammar import GRAMMARS, grammar_task
from gumbel_gan.tasks.interface import Oracle, Task

__all__ = ["GRAMMARS", "Oracle", "Task", "grammar_task"]
