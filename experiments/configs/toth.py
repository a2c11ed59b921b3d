"""Toth's importance-weighted GAN with his settings; the name of a variant may follow a colon.

python -m experiments.train --workdir=runs/toth --config=experiments/configs/toth.py:section3
python -m experiments.study toth2021 --workdir=runs/toth_study

The second command trains all variants, with 30 seeds of the loss of his section 3, and draws his figures.

Eight seeds take two minutes on two CPU cores (AMD EPYC, 2026-11-23). On his names, median (worst): held-out NLL 28.2
(31.6) nats per name over 30 seeds; tempered 15.1 (15.1) and likelihood 15.0 (15.1) over
eight. With exponent 0, the weights are nearly equal (effective sample size 127.9 of 128), as in maximum likelihood.
On molecules, `section3` has 85.8 (101.5) nats and likelihood 24.4 (24.9), in 15 and 4 minutes on one core beside other
work (2026-11-27).
"""

from types import MappingProxyType

from ml_collections import ConfigDict

from experiments.config.choices import options
from experiments.configs import arithmetic, molecules, names

VARIANTS = MappingProxyType(
    {
        "section3": "section 3 of his report: likelihoods divided by the empirical distribution of the data",
        "training_loss": "his training loss, without that division",
        "constant": "section 3 without the discriminator: log(1 - D) replaced by a constant",
        "tempered": "exponent 0, weights by the discriminator alone: in effect maximum likelihood",
        "likelihood": "maximum likelihood, with the same generator, data and rates",
    }
)
TASKS = ("names", "grammar", "molecules")


def get_config(variant: str = "section3,names") -> ConfigDict:
    """Returns Toth's settings.

    The networks are LSTMs of width 8. Adam has a rate of 0.02, and of 0.002 from epoch 5 of 200 on. Batches hold 128
    names; names that are in both lists are kept twice. 10,400 batches are 200 epochs of the lists that he used, without
    the held-out names; on other data, the number of batches is the same. His report does not give Adam's betas;
    they are the defaults.

    Args:
      variant: one of `VARIANTS` and, after a comma, the task: 'names' (the default); 'grammar', the arithmetic grammar
        with its own length distribution, on which the variants differ most; or 'molecules', of up to 25 characters.

    Raises:
      ValueError: the variant is not one of `VARIANTS`, or the task is not one of `TASKS`.
    """
    name, task = options(variant, variant=tuple(VARIANTS), task=TASKS)
    config = names.get_config()
    config.task.deduplicate = False
    if task == "grammar":
        config.task = arithmetic.get_config("wide").task
        config.task.length_distribution = "grammar"
        config.num_samples = 10_000
    if task == "molecules":
        config.task = molecules.get_config().task
        config.task.max_length, config.task.num_heldout = 25, 1_000
        config.temperatures = ()
    config.batch_size = 128
    config.num_steps = 10_400
    config.steps_per_chunk = 208
    config.chunks_per_checkpoint = 10
    optimizer = {"name": "adam", "learning_rate": "piecewise_constant(0.02, 0.002, 0.025)", "b1": 0.9, "b2": 0.999}
    network = {"name": "lstm", "hidden_size": 8}
    if name == "likelihood":
        config.algorithm = ConfigDict(
            {
                "name": "maximum_likelihood",
                "sampling_rate": "none",
                "ema_decay": 0.0,
                "num_latent_draws": 256,
                "generator": network | {"latent": "none"},
                "optimizer": optimizer,
            }
        )
        return config
    config.algorithm = ConfigDict(
        {
            "name": "importance_gan",
            "data_weights": name != "training_loss",  # whether likelihoods are divided by p_data
            "weight_exponent": 0.0 if name == "tempered" else 1.0,  # of likelihoods in the weights; 1 is Toth's
            "adversarial": name != "constant",  # whether the weights depend on the discriminator
            "penalty": {
                "real_weight": "none",
                "generated_weight": "none",
                "interpolated_weight": "none",
                "fraction": 1.0,
            },
            "discriminator_updates": 1,
            "ema_decay": 0.0,
            "num_latent_draws": 256,
            "generator": network | {"latent": "none"},
            "discriminator": network | {"pooling": "last", "bidirectional": False},
            # Copies: a setting changed in one optimizer must not change in the other.
            "generator_optimizer": dict(optimizer),
            "discriminator_optimizer": dict(optimizer),
        }
    )
    return config
