"""Tasks: sources of sequences, each with its vocabulary and, if one exists, its exact oracle."""

from gumbel_gan.tasks.arrays import array_task
from gumbel_gan.tasks.chorales import chorale_picture, chorales_task
from gumbel_gan.tasks.digits import digits_task
from gumbel_gan.tasks.files import files_digest
from gumbel_gan.tasks.grammar import GRAMMARS, grammar_task
from gumbel_gan.tasks.handwriting import handwriting_picture, handwriting_task, pen_strokes
from gumbel_gan.tasks.interface import Oracle, Picture, Support, Task
from gumbel_gan.tasks.lstm_oracle import oracle_task
from gumbel_gan.tasks.melodies import melodies_task, melody_picture
from gumbel_gan.tasks.midi import chorale_midi, melody_midi
from gumbel_gan.tasks.molecules import molecule_picture, molecules_task, selfies_to_smiles
from gumbel_gan.tasks.names import name_line, names_task
from gumbel_gan.tasks.pairs import decoded_pairs, pairs_task, targets_by_source
from gumbel_gan.tasks.pixels import pixels_task
from gumbel_gan.tasks.pronunciation import pronunciation_task
from gumbel_gan.tasks.strings import strings_task
from gumbel_gan.tasks.text import resolve_stream, text_line, text_task
from gumbel_gan.tasks.text_blocks import Progress
from gumbel_gan.tasks.tokenized_text import is_tokenized
from gumbel_gan.tasks.vocabulary import Vocabulary

__all__ = [
    "GRAMMARS",
    "Oracle",
    "Picture",
    "Progress",
    "Support",
    "Task",
    "Vocabulary",
    "array_task",
    "chorale_midi",
    "chorale_picture",
    "chorales_task",
    "decoded_pairs",
    "digits_task",
    "files_digest",
    "grammar_task",
    "handwriting_picture",
    "handwriting_task",
    "is_tokenized",
    "melodies_task",
    "melody_midi",
    "melody_picture",
    "molecule_picture",
    "molecules_task",
    "name_line",
    "names_task",
    "oracle_task",
    "pairs_task",
    "pen_strokes",
    "pixels_task",
    "pronunciation_task",
    "resolve_stream",
    "selfies_to_smiles",
    "strings_task",
    "targets_by_source",
    "text_line",
    "text_task",
]
