"""Molecules of the benchmark MOSES of up to 25 characters, or of your own files of SMILES.

python -m experiments.train --workdir=runs/molecules --config=experiments/configs/molecules.py
"""

from ml_collections import ConfigDict

from experiments.configs import names
from gumbel_gan.arguments import require_one_of

METHODS = ("maximum_likelihood", "relaxed_gan")


def get_config(method: str = "maximum_likelihood") -> ConfigDict:
    """Returns a method on molecules.

    Args:
      method: one of `METHODS`.

    Raises:
      ValueError: `method` is none of them.
    """
    require_one_of(METHODS, method=method)
    config = names.get_config()
    config.task = ConfigDict(
        {
            "name": "molecules",
            "files": "",  # of SMILES, separated by commas; '' for MOSES, of the package `molsets`
            "digest": "",  # of the files, noted when a run begins
            "tokens": "characters",  # 'characters' | 'atoms', so that Cl, Br and [nH] are one symbol | 'selfies'
            "max_length": 25,  # of a SMILES, in characters: 25 leaves 1 %, 32 a quarter and 57 all of MOSES
            "test": "test",  # of MOSES: 'test' | 'test_scaffolds'
            "num_heldout": 0,  # molecules for validation and, of files, for the test; 0: a tenth, at most 1,000
            "seed": 0,
        }
    )
    config.num_shards = 2
    config.batch_size = 128
    config.num_samples = 10_000
    config.num_compared = 500
    config.temperatures = (0.7, 0.8, 0.9, 1.0, 1.1)
    config.steps_per_chunk = 100
    config.chunks_per_checkpoint = 5
    if method == "maximum_likelihood":
        config.num_steps = 8_000
        config.patience = 1_500
        config.summarized = "best"
        config.algorithm = ConfigDict(
            {
                "name": "maximum_likelihood",
                "sampling_rate": "none",
                "ema_decay": 0.998,
                "num_latent_draws": 256,
                "generator": config.algorithm.generator,
                "optimizer": {
                    "name": "adam",
                    "learning_rate": "cosine(3e-3, 3e-5)",
                    "b1": 0.9,
                    "b2": 0.999,
                    "max_norm": 1.0,
                },
            }
        )
        config.algorithm.generator.hidden_size = 256
        config.algorithm.generator.dropout_rate = 0.2
    else:
        config.algorithm.generator.hidden_size = 128
        config.algorithm.discriminator.hidden_size = 128
    return config
