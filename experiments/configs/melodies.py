"""Folk songs of the Essen collection, note by note, of the package `music21`, or of your own files in ABC notation.

python -m experiments.train --workdir=runs/melodies --config=experiments/configs/melodies.py
python -m experiments.train --workdir=runs/melodies_gan --config=experiments/configs/melodies.py:relaxed_gan
"""

from ml_collections import ConfigDict

from experiments.configs import molecules


def get_config(method: str = "maximum_likelihood") -> ConfigDict:
    """Returns a method on melodies, with the recipe of `molecules.py`.

    Args:
      method: one of its methods.

    Raises:
      ValueError: `method` is none of them.
    """
    config = molecules.get_config(method)
    config.num_samples = 2_000
    config.task = ConfigDict(
        {
            "name": "melodies",
            "files": "",  # in ABC notation, separated by commas; '' for those of the package `music21`
            "digest": "",  # of the files, noted when a run begins
            "transpose": True,  # to the key without sharps and flats
            "max_length": 64,  # symbols; 0 takes all
            "min_count": 5,  # melodies that must have a symbol
            "num_heldout": 500,  # melodies for validation, and for the test
            "deduplicate": True,
            "seed": 0,
        }
    )
    return config
