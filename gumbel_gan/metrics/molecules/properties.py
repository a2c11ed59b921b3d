"""Properties of a molecule: logP, SA, QED and weight."""

import contextlib
import functools
import warnings
from collections.abc import Callable
from typing import Any

PROPERTIES = ("logP", "SA", "QED", "weight")


def properties(molecule: Any) -> dict[str, float]:
    """Computes the properties of a molecule that MOSES compares by their distributions.

    Args:
      molecule: an `rdkit.Chem.Mol`.

    Returns:
      'logP': Crippen's estimate of the octanol-water partition coefficient. 'SA': the synthetic accessibility score of
      Ertl & Schuffenhauer 2009, from 1 (easy) to 10 (hard), from RDKit's contributions. 'QED': the quantitative
      estimate of drug-likeness of Bickerton et al. 2012, in [0, 1]. 'weight': the molecular weight in daltons.
    """
    return {name: float(function(molecule)) for name, function in property_functions().items()}


@functools.lru_cache
def property_functions() -> dict[str, Callable[[Any], float]]:
    """Returns the functions that compute the properties of an `rdkit.Chem.Mol`, by the names in `PROPERTIES`."""
    from rdkit.Chem import QED, Crippen, Descriptors

    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # RDKit's contributions use RDKit functions that have since been renamed.
        warnings.simplefilter("ignore")
        from rdkit.Contrib.SA_Score import sascorer
    log_p, weight = Crippen.MolLogP, Descriptors.MolWt  # type: ignore[attr-defined]
    functions = (log_p, sascorer.calculateScore, QED.qed, weight)
    return dict(zip(PROPERTIES, functions, strict=True))
