"""Molecules of the benchmark MOSES of up to 25 characters, or of your own files of SMILES.

python -m experiments.train --workdir=runs/molecules --config=experiments/configs/molecules.py

What is None is chosen by the data, see `experiments/config/data_defaults.py`. The default trains for 8 minutes beside
other work on two cores of an AMD EPYC (2026-11-26): validity 0.868 of 10,000 samples of the weights with the best
validation likelihood, 0.895 of the last ones.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.config.data_defaults import leave_to_data
from experiments.configs import names, names_mle
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
            # of a SMILES, in characters: 25 leaves 1 %, 32 a quarter and 57 all of MOSES; None for 25 of MOSES, and for
            # the longest of files, but for a few; 0 for all
            "max_length": placeholder(int),
            "test": "test",  # of MOSES: 'test' | 'test_scaffolds'
            "num_heldout": placeholder(int),  # for validation and, of files, for the test; None for a tenth, to 1,000
            "seed": 0,
        }
    )
    config.num_shards = 2
    config.num_samples = 10_000
    config.temperatures = (0.7, 0.8, 0.9, 1.0, 1.1)
    if method == "maximum_likelihood":
        config.algorithm = names_mle.get_config().algorithm
    leave_to_data(config, likelihood=method == "maximum_likelihood")
    return config
