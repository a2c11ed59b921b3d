r"""Handwritten characters as steps of a pen, of the package `kanjivg`, or of your own SVG files.

python -m experiments.train --workdir=runs/handwriting --config=experiments/configs/handwriting.py
python -m experiments.train --workdir=runs/lines --config=experiments/configs/handwriting.py:maximum_likelihood,lines
python -m experiments.train --workdir=runs/lines_professor \
    --config=experiments/configs/handwriting.py:professor_forcing,lines

The last two learn from windows of lines of characters, and judge samples four times as long.

Short runs of likelihood, seed 0, with --config.num_steps=600 --config.steps_per_chunk=50, beside much other work on two
cores of an AMD EPYC (2026-11-26, version 0.1.0): held-out NLL 90.4 nats per character in 667 s; of lines 73.0 nats per
window of 64, 1.65 bits per step, in 378 s, where the JS of 3-grams of the four parts of samples of 256 is 0.045, 0.042,
0.041 and 0.042 bits (other held-out windows: 0.020). Both were still improving.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import pixels
from gumbel_gan.arguments import require_one_of

DATA = ("characters", "lines")


def get_config(variant: str = "maximum_likelihood,characters") -> ConfigDict:
    """Returns a method on handwriting, with the recipe of `pixels.py`; the report draws the samples.

    Args:
      variant: one of its methods, and, after a comma, one of `DATA`: a character a sequence (the default), or windows
        of lines.

    Raises:
      ValueError: `variant` is not one of those.
    """
    method, _, data = variant.partition(",")
    data = data or DATA[0]
    require_one_of(DATA, data=data)
    config = pixels.get_config(method)
    config.task = ConfigDict(
        {
            "name": "handwriting",
            "files": "",  # SVG files, or zip archives of them, separated by commas; '' for those of `kanjivg`
            "digest": "",  # of the files, noted when a run begins
            "directions": 8,  # of a step: 8 | 16
            "resolution": 12,  # steps along the larger side of a picture
            "max_length": placeholder(int),  # steps; None for the 90th percentile, 0 for all
            "window": 64 if data == "lines" else 0,  # steps of a window of lines; 0 for a character a sequence
            "num_heldout": 500,  # characters for validation, and for the test
            "seed": 0,
        }
    )
    if data == "lines":
        config.long_length = 256
    return config
