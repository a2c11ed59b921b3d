"""The data of the package `molsets`, read by path: `import moses` needs torch and packages that cannot be installed."""

import codecs
import csv
import gzip
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from gumbel_gan.arguments import require_one_of
from gumbel_gan.metrics.molecules import restricted_pickle
from gumbel_gan.package_files import package_file

INSTALL = "pip install --no-deps molsets==0.3.1"
"""The command that installs the data without its dependencies, some of which can't be installed any more."""

SPLITS = ("train", "test", "test_scaffolds")
REFERENCES = SPLITS[1:]
"""The splits of which there are statistics."""


def moses_file(name: str) -> Path:
    """Returns the path of a file of the package `molsets`.

    Args:
      name: path of the file in the package, such as 'dataset/data/train.csv.gz'.

    Raises:
      ImportError: the package is not installed, or lacks the file.
    """
    return package_file("molsets", f"moses/{name}", content="the data of MOSES is", install=INSTALL)


def moses_smiles(split: str) -> list[str]:
    """Reads the molecules of a split of MOSES as canonical SMILES of 15 to 57 characters.

    Args:
      split: 'train' (1,584,663 molecules), 'test' (176,074), or 'test_scaffolds' (176,225), whose scaffolds do not
        occur in 'train' or 'test'.

    Raises:
      ImportError: the package `molsets` is not installed.
      ValueError: `split` is not one of `SPLITS`.
    """
    require_one_of(SPLITS, split=split)
    with gzip.open(moses_file(f"dataset/data/{split}.csv.gz"), "rt", encoding="utf-8") as file:
        _, *lines = file.read().split()
    return [line.partition(",")[0] for line in lines]


def moses_statistics(split: str) -> dict[str, dict[str, Any]]:
    """Reads the reference statistics of a split of MOSES, without running code from the pickle that holds them.

    Args:
      split: 'test' or 'test_scaffolds'.

    Returns:
      'FCD': 'mu' `[512]` and 'sigma' `[512, 512]` of ChemNet's activations. 'SNN': 'fps' `[N, 1024]` uint8, Morgan
      fingerprints. 'Frag': 'frag', counts of fragments by SMILES. 'Scaf': 'scaf', counts of scaffolds by SMILES.
      'logP', 'SA', 'QED', 'weight': 'values', one for each of the N molecules.

    Raises:
      ImportError: the package `molsets` is not installed.
      ValueError: `split` is not one of `REFERENCES`, or the file holds other objects.
    """
    require_one_of(REFERENCES, split=split)
    # All names that the pickle refers to.
    known = {
        ("collections", "Counter"): Counter,
        ("_codecs", "encode"): codecs.encode,
        ("numpy", "dtype"): np.dtype,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__reduce__(np.empty(0))[0],
    }
    with zipfile.ZipFile(moses_file(f"dataset/data/{split}_stats.npz")) as archive, archive.open("stats.npy") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        return restricted_pickle.load(file, known).item()


def moses_smarts() -> list[str]:
    """Reads the patterns of the filters of MOSES: medicinal chemistry filters (22) and PAINS (480).

    Raises:
      ImportError: the package `molsets` is not installed.
    """
    with moses_file("metrics/mcf.csv").open(encoding="utf-8", newline="") as file:
        smarts = [row["smarts"] for row in csv.DictReader(file)]
    with moses_file("metrics/wehi_pains.csv").open(encoding="utf-8", newline="") as file:
        smarts += [row[0] for row in csv.reader(file) if row]
    return [each.strip() for each in smarts]
