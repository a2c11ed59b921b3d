r"""Professor Forcing and likelihood on little data: pictures, pens, music, a text. A method and the data may follow.

python -m experiments.train --workdir=runs/professor --config=experiments/configs/professor_forcing_long.py:weak,pixels
python -m experiments.study lamb2016 --workdir=runs/professor_long --files=short_text.txt \
    --tasks=pixels,handwriting,chorales,melodies,text,carried

The second command trains the methods on all data, and tests the paper's claims.

Eight seeds of `weak` take 9 minutes on handwriting, 14 on chorales, 19 on pixels, 18 on melodies and 12 on 100,000
characters of Tiny Shakespeare, with or without a carried state, on one core of an AMD EPYC beside other work,
2026-11-27. Median (worst) on the test split, in nats per sequence, in that order: 80.9 (81.3), 101.3 (103.9),
39.6 (40.6), 124.5 (126.3), 204.4 (204.7), and 203.8 (204.3) with a carried state; likelihood at equal steps has
80.7 (81.0), 101.1 (103.4), 39.4 (39.9), 123.5 (125.1), 203.8 (205.0) and 203.4 (204.4).
"""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

from ml_collections import ConfigDict

from experiments.config.choices import options
from experiments.configs import chorales, handwriting, melodies, pixels, professor_forcing, text

METHODS = ("likelihood", "longer", "professor", "weak")

# Training steps of every method but 'longer'.
NUM_STEPS = 1_000

# Windows in the order of the text, so that likelihoods given all text before a window are measured too.
_TEXT = {"task.window": 100, "task.in_order": True, "task.num_heldout": 300, "long_length": 400}
# For each kind of data, the config with its task, and other settings: most of the data is held out, and samples of
# `long_length` symbols are longer than the sequences.
_DATA: MappingProxyType[str, tuple[Callable[[], ConfigDict], dict[str, Any]]] = MappingProxyType(
    {
        "pixels": (pixels.get_config, {"task.num_heldout": 2_400}),
        "handwriting": (
            partial(handwriting.get_config, "maximum_likelihood,lines"),
            {"task.num_heldout": 3_290, "long_length": 256},
        ),
        "chorales": (chorales.get_config, {"task.num_heldout": 100, "long_length": 512}),
        "melodies": (melodies.get_config, {"task.num_heldout": 1_500}),
        "text": (text.get_config, _TEXT),
        "carried": (text.get_config, _TEXT),
    }
)
DATA = tuple(_DATA)


def get_config(variant: str = "weak,pixels") -> ConfigDict:
    """Returns a method's recipe, that of `professor_forcing.py` for digits, on other data.

    Each method reports its state of the best validation likelihood. Training ends when none of the seeds has improved
    for as long as a fifth of the run.

    Args:
      variant: one of `METHODS` and, after a comma, one of `DATA`. `task.files` must be set for 'text' and 'carried'. On
        'carried' the hidden state is carried from each window to the next in training too.

    Raises:
      ValueError: the method is not one of `METHODS`, or the data is not one of `DATA`.
    """
    method, data = options(variant, method=METHODS, data=DATA)
    config = professor_forcing.get_config(f"{method},digits")
    config_of_data, settings = _DATA[data]
    config.task = config_of_data().task
    config.update_from_flattened_dict(settings)
    config.num_steps = config.num_steps * NUM_STEPS // professor_forcing.NUM_STEPS
    config.steps_per_chunk //= 2
    config.patience = config.num_steps // 5
    config.summarized = "best"
    config.batch_size = 16
    config.temperatures = ()
    config.num_samples = 500
    config.num_compared = config.num_states = 140
    return text.carry(config) if data == "carried" else config
