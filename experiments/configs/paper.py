"""The experiments of Kusner & Hernández-Lobato 2016: four variants of the GAN, a control, and maximum likelihood.

python -m experiments.train --workdir=runs/paper_a --config=experiments/configs/paper.py:a
python -m experiments.study kusner2016 --workdir=runs/paper

The first command trains a variant: a, b, c, d, constant or mle. The second trains all of them and writes a report.

From the paper (https://arxiv.org/abs/1611.04051): 5,000 strings of at most 12 characters, 20,000 mini-batches, a
temperature that falls linearly from 5 to 1, the pair of losses, Adam, and the variants. Settings that it does not
state are marked `chosen`; see BUILD_NOTES.md.

On two CPU cores (AMD EPYC, 2026-11-23, while other work ran): (a) 23 min for eight seeds, (b) 22 min and (c), (d) 8 min
for four, maximum likelihood 4 min for eight. All GAN variants collapse to a few strings, with a total variation of 0.78
to 1; maximum likelihood has 0.088 (0.083 to 0.099).
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic
from gumbel_gan.arguments import require_one_of

VARIANTS = {
    "a": "the default: noise in the hidden and in the cell state, one annealed temperature",
    "b": "1,000 generated sequences a step",
    "c": "only the temperature of the vector fed back is annealed",
    "d": "noise in the hidden state only",
    "constant": "a control that the paper lacks: (a) at temperature 1 throughout",
    "mle": "the same LSTM by maximum likelihood",
}


def get_config(variant: str = "a") -> ConfigDict:
    """Returns one of the paper's experiments, or the control.

    Args:
      variant: 'a', 'b', 'c', 'd', 'constant' or 'mle'.

    Raises:
      ValueError: `variant` is not one of `VARIANTS`.
    """
    require_one_of(VARIANTS, variant=variant)
    config = arithmetic.get_config("wide")
    config.num_steps = 20_000
    config.steps_per_chunk = 500
    config.chunks_per_checkpoint = 2
    config.batch_size = 200  # chosen
    config.num_shards = 1
    # Learning rate and betas chosen: the defaults of Adam.
    adam = {"name": "adam", "learning_rate": "constant(1e-3)", "b1": 0.9, "b2": 0.999}
    width = 32  # chosen
    baseline = {
        "name": "maximum_likelihood",
        "sampling_rate": "none",
        "ema_decay": 0.0,
        "num_latent_draws": 64,
        "generator": {"name": "lstm", "hidden_size": width, "latent": "none"},
        "optimizer": adam,
    }
    gan = {
        "name": "relaxed_gan",
        "objective": "log_odds",
        "estimator": "soft",
        "temperature": "linear(5.0, 1.0)",
        "feedback": {"temperature": "none", "gradient": True},
        "score_weight": 0.0,
        "num_generated": 1_000 if variant == "b" else config.batch_size,
        "instance_noise": "none",
        "penalty": {
            "real_weight": "none",
            "generated_weight": "none",
            "interpolated_weight": "none",
            "fraction": 1.0,
        },
        "discriminator_updates": 1,
        "ema_decay": 0.0,
        "discriminator_ema_decay": "none",
        "num_latent_draws": 64,
        "generator": {
            "name": "lstm",
            "hidden_size": width,
            "latent": "hidden" if variant == "d" else "hidden_and_cell",
        },
        "discriminator": {"name": "lstm", "hidden_size": width, "pooling": "last", "bidirectional": False},
        # Copies: a ConfigDict keeps a shared dict shared, so that a setting would change in both optimizers.
        "generator_optimizer": dict(adam),
        "discriminator_optimizer": dict(adam),
    }
    if variant == "constant":
        gan |= {"temperature": "constant(1.0)"}
    if variant == "c":
        gan |= {"temperature": "constant(1.0)"}  # chosen interpretation
        gan |= {"feedback": {"temperature": "linear(5.0, 1.0)", "gradient": True}}
    config.algorithm = ConfigDict(baseline if variant == "mle" else gan)
    return config
