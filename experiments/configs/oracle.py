"""Maximum likelihood on sequences of a random LSTM, whose likelihoods are known: SeqGAN's protocol, made small.

python -m experiments.train --workdir=runs/oracle --config=experiments/configs/oracle.py
"""

from ml_collections import ConfigDict

from experiments.configs import names_mle


def get_config() -> ConfigDict:
    """Gives the baseline of `names_mle.py`; SeqGAN's own sizes are num_symbols=5000 and num_train=10000."""
    config = names_mle.get_config()
    config.num_samples = 1_000
    config.temperatures = ()
    config.task = ConfigDict(
        {
            "name": "oracle",
            "num_symbols": 50,
            "length": 20,
            "hidden_size": 32,
            "num_train": 10_000,
            "num_heldout": 1_000,
            "seed": 0,
        }
    )
    return config
