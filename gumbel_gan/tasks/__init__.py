"""Sources of sequences."""

from gumbel_gan.tasks.digits import digits_task
from gumbel_gan.tasks.grammar import GRAMMARS, grammar_task
from gumbel_gan.tasks.interface import Oracle, Task
from gumbel_gan.tasks.lines import files_digest
from gumbel_gan.tasks.lstm_oracle import oracle_task
from gumbel_gan.tasks.names import names_task
from gumbel_gan.tasks.text import text_task

__all__ = [
    "GRAMMARS",
    "Oracle",
    "Task",
    "digits_task",
    "files_digest",
    "grammar_task",
    "names_task",
    "oracle_task",
    "text_task",
]
