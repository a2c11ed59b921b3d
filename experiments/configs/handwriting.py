r"""Handwritten characters as steps of a pen, from the package `kanjivg` or from your own SVG files.

python -m experiments.train --workdir=runs/handwriting --config=experiments/configs/handwriting.py
python -m experiments.train --workdir=runs/lines --config=experiments/configs/handwriting.py:maximum_likelihood,lines
python -m experiments.train --workdir=runs/lines_professor \
    --config=experiments/configs/handwriting.py:professor_forcing,lines

The last two commands train on windows of lines of characters, and evaluate samples four times as long.

Short runs of maximum likelihood, seed 0, with --config.num_steps=600 --config.steps_per_chunk=50, on two cores of an
AMD EPYC while much other work ran (2026-11-26, version 0.1.0). Characters: held-out NLL 90.4 nats per character in
667 s. Lines: 73.0 nats per window of 64, 1.65 bits per step, in 378 s; the JS of 3-grams of the four parts of samples
of 256 is 0.045, 0.042, 0.041 and 0.042 bits (other held-out windows: 0.020). Both runs were still improving.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.config.choices import options
from experiments.configs import pixels

DATA = ("characters", "lines")


def get_config(variant: str = "maximum_likelihood,characters") -> ConfigDict:
    """Returns the config of a method on handwriting, with the recipe of `pixels.py`; the report draws the samples.

    Args:
      variant: one of `pixels.METHODS` and, after a comma, one of `DATA`: one character per sequence (the default), or
        windows of lines.

    Raises:
      ValueError: the method is not one of `pixels.METHODS`, or the data is not one of `DATA`.
    """
    method, data = options(variant, method=pixels.METHODS, data=DATA)
    config = pixels.get_config(method)
    config.task = ConfigDict(
        {
            "name": "handwriting",
            "files": "",  # SVG files, or zip archives of them, separated by commas; '' for those of `kanjivg`
            "digest": "",  # of the files, recorded when a run begins
            "directions": 8,  # directions of a step: 8 | 16
            "resolution": 12,  # steps along the larger side of a picture
            "max_length": placeholder(int),  # steps; None for the 90th percentile, 0 for all
            "window": 64 if data == "lines" else 0,  # steps of a window of lines; 0 for one character per sequence
            "num_heldout": 500,  # characters for validation, and as many for the test
            "seed": 0,
        }
    )
    if data == "lines":
        config.long_length = 256
    return config
