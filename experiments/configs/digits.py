"""Maximum likelihood on scikit-learn's handwritten digits, as sequences of 64 pixels, without tuning.

python -m experiments.train --workdir=runs/digits --config=experiments/configs/digits.py

Eight seeds take 86 s on two CPU cores (AMD EPYC, 2026-11-23). Median (worst) of seeds 0 to 7 on the test split: 16.1
(16.4) nats per picture, 0.364 (0.370) bits per pixel.
"""

from ml_collections import ConfigDict

from experiments.configs import names_mle


def get_config() -> ConfigDict:
    """Returns the recipe of `names_mle.py` for binary pictures; the report draws the samples."""
    config = names_mle.get_config()
    config.num_compared = 100
    config.num_samples = 500
    config.batch_size = 64
    config.task = ConfigDict({"name": "digits", "levels": 2, "num_heldout": 180, "seed": 0})
    return config
