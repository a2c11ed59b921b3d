"""The relaxed GAN on your own sequences: a file of one sequence a line, or a long text.

python -m experiments.train --workdir=runs/mine --config=experiments/configs/text.py --config.task.files=mine.txt
"""

from ml_collections import ConfigDict

from experiments.configs import names


def get_config() -> ConfigDict:
    """Gives the recipe of `names.py` for any text; `task.files` is to be given."""
    config = names.get_config()
    config.num_compared = 200
    config.task = ConfigDict(
        {
            "name": "text",
            "files": "",  # their paths, separated by commas
            "digest": "",  # of the files, noted when a run begins
            "unit": "characters",  # of a sequence: 'characters' | 'words'
            "max_length": 20,  # in units; 0 for the longest line there is
            "too_long": "drop",  # what to do with longer lines: 'drop' | 'cut' | 'fail'
            "window": 0,  # cuts one long text into windows of so many units (with max_length 0); 0: a line a sequence
            "lowercase": False,
            "min_count": 1,  # rarer words become <unk>, lines with rarer characters are dropped
            "max_symbols": 5_000,
            "deduplicate": True,
            "num_heldout": 200,  # sequences for validation, and for the test
            "seed": 0,
        }
    )
    return config
