"""The importance-weighted GAN on English first names with weight exponent 0, which is in effect maximum likelihood.

python -m experiments.train --workdir=runs/names_importance --config=experiments/configs/names_importance.py

Eight seeds take 200 s on two CPU cores (AMD EPYC, 2026-11-23, while other work ran). Median (worst) of seeds 0 to 7 on
the test split: held-out NLL 13.6 (13.7) nats per name, JS of 3-grams 0.289 (0.306) bits, like maximum likelihood. The
weights depend on the discriminator alone and are nearly equal: the effective sample size is 127.9 of 128.
"""

from ml_collections import ConfigDict

from experiments.configs import names, toth


def get_config() -> ConfigDict:
    """Returns the recipe that was best on the validation split, with the generator and the data of `names.py`."""
    config = names.get_config()
    networks = config.algorithm
    config.batch_size = 128
    config.num_steps = 2_000
    config.steps_per_chunk = 100
    config.chunks_per_checkpoint = 10
    config.algorithm = toth.get_config("tempered").algorithm
    config.algorithm.generator = networks.generator
    config.algorithm.discriminator = networks.discriminator
    config.algorithm.penalty.update(real_weight="constant(1.0)", generated_weight="constant(1.0)", fraction=0.25)
    config.algorithm.ema_decay = 0.998
    config.algorithm.generator_optimizer.update({"learning_rate": "cosine(3e-3, 1.5e-4)"})
    config.algorithm.discriminator_optimizer.update({"learning_rate": "cosine(4e-3, 2e-4)", "b1": 0.0, "b2": 0.9})
    return config
