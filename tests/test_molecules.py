"""The task of molecules: validity by RDKit, tokens, files in common formats, and MOSES."""

import builtins
import importlib.util
import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

import gumbel_gan as gg
from experiments.config.build import _with_symbols
from experiments.reports import page
from experiments.reports.pictures import drawn_samples
from experiments.reports.report import compare
from experiments.reports.runs import read_runs
from experiments.run.numbered_files import read_strings
from experiments.run.texts import write_samples
from gumbel_gan import evaluation
from gumbel_gan.metrics import molecules as chemistry
from gumbel_gan.tasks import molecule_picture, selfies_to_smiles
from tests.test_report import write_run

pytest.importorskip("rdkit", reason="the package rdkit is not installed")
HAS_MOSES = importlib.util.find_spec("moses") is not None
FIXTURE = Path(__file__).parent / "fixtures" / "molecules.smi"
ASPIRIN, CAFFEINE = "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"

needs_moses = pytest.mark.skipif(not HAS_MOSES, reason="the package molsets is not installed")
needs_selfies = pytest.mark.skipif(
    importlib.util.find_spec("selfies") is None, reason="the package selfies is not installed"
)


def all_strings(task):
    splits = (task.train, task.validation, task.test)
    return [string for split in splits for string in task.decode(split.tokens)]


def of_lines(tmp_path, text, name="mine.smi", **settings):
    file = tmp_path / name
    file.write_text(text)
    return gg.molecules_task(file, **{"max_length": 0, "num_heldout": 1, **settings})


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("", "an empty molecule"),
        ("C1CC", "a ring is not closed"),
        ("C%12CC", "a ring is not closed"),
        ("CC(C", "a parenthesis is not closed"),
        ("CC)C", "a closing parenthesis too many"),
        ("C[NH", "a bracket is not closed"),
        ("XYZ", "not a SMILES"),
        ("CC O", "whitespace"),
        ("CC(C)(C)(C)C", "too many bonds of C"),
        ("c1cccc1", "an aromatic ring without alternating bonds"),
        ("cC", "an aromatic atom outside of a ring"),
        ("Cc1nc(NCc2ccccc2)no1-c1ccccc1", "too many bonds of O"),
    ],
)
def test_what_is_no_molecule_has_a_reason(smiles, reason, capfd):
    assert chemistry.parse(smiles) is None
    assert not chemistry.is_valid(smiles)
    assert chemistry.why_invalid(smiles) == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "smiles",
    [ASPIRIN, CAFFEINE, "[Na+].[Cl-]", "F/C=C/F", "C[C@H](N)C(=O)O", "[O-][n+]1ccccc1", "C%12CC%12", "[13CH4]"],
)
def test_molecules_are_valid(smiles):
    assert chemistry.is_valid(smiles)
    assert chemistry.why_invalid(smiles) is None


def test_molecules_of_a_file_are_canonical_distinct_and_counted(tmp_path):
    lines = (
        "CN1C=NC2=C1C(=O)N(C(=O)N2C)C caffeine\nOCC\n\nCCO ethanol\nC1CC\nC1CCC\nc1cccc1\n[Na+].[Cl-]\n"
        "C[C@H](N)C(=O)O\n# a comment\n#C\nCCCCCCCCCCCCCCCCCCCC\nCCN\n"
    )
    task = of_lines(tmp_path, lines, max_length=27)
    place = f"in {str(tmp_path / 'mine.smi')!r}, line"
    assert len(all_strings(task)) == 6
    assert set(all_strings(task)) == {"C[C@H](N)C(=O)O", "C" * 20, "CCN", "CCO", CAFFEINE, "[Cl-].[Na+]"}
    assert task.name == "molecules mine.smi"
    assert task.notes[:7] == (
        "Lines read: 12; blank, left out: 1.",
        "Lines of comments, which begin with '# ', left out: 1.",
        f"Lines that are not a molecule, left out: 4 (a ring is not closed: 2, such as 'C1CC' {place} 5; "
        f"an aromatic ring without alternating bonds: 1, such as 'c1cccc1' {place} 7; not a SMILES: 1, such as '#C' "
        f"{place} 11).",
        "Molecules, all kept: of several parts 1; charged 1; with stereo marks 1; aromatic 1.",
        "Molecules of more than 27 characters (max_length), left out: 0.",
        "Repeated molecules, left out: 1.",
        "Symbols of the vocabulary: 20. Sequences for training: 4; for validation: 1; for the test: 1.",
    )
    assert (
        "Molecules of more than 3 characters (max_length), left out: 4."
        in of_lines(tmp_path, f"{lines}CO\n", max_length=3).notes
    )


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("id,SMILES,activity", "7,{},0.5", "SMILES"),
        ("canonical_smiles;name", '"{}";"a, b"', "canonical_smiles"),
        ("smiles\tname", "{}\tsome name", "smiles"),
        ("SMILES ID", "{} 5", "SMILES"),
        ("Canonical SMILES,x", "{},1", "Canonical SMILES"),
    ],
)
def test_the_header_of_a_table_is_noticed(header, row, column, tmp_path):
    molecules = ["CCO", "CCN", "CCC", ASPIRIN]
    task = of_lines(tmp_path, "\n".join([header, *map(row.format, molecules), ""]))
    assert sorted(all_strings(task)) == sorted(molecules)
    place = f"{str(tmp_path / 'mine.smi')!r}, line 1"
    assert f"Header {header!r} in {place}: the molecules are column {column!r}." in task.notes


def test_a_column_of_smiles_is_taken_beside_one_of_selfies(tmp_path):
    task = of_lines(tmp_path, "selfies,smiles\n[C],CCO\n[C],CCN\n[C],CCC\n")
    assert sorted(all_strings(task)) == ["CCC", "CCN", "CCO"]


def test_too_many_symbols_are_those_of_the_files(tmp_path):
    lines = "".join(f"[{mass}CH4]\n" for mass in range(1, 1_002))
    message = "files must have at most 1,000 different atoms and bonds with tokens 'atoms', got 1,001"
    with pytest.raises(ValueError, match=message):
        of_lines(tmp_path, lines, tokens="atoms")


def test_a_table_without_a_header_and_short_rows(tmp_path):
    assert sorted(all_strings(of_lines(tmp_path, "CCO,1\nCCN,2\nCCC,3\n"))) == ["CCC", "CCN", "CCO"]
    task = of_lines(tmp_path, "id,smiles\n1,CCO\n2\n3,CCN\n4,CCC\n")
    assert task.notes[0] == "Lines read: 4; blank, left out: 1."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">sp|P69905|HBA_HUMAN\nMVLSPADKTN\n", r"FASTA file, '>sp\|P69905\|HBA_HUMAN', in .*mine.smi', line 1"),
        ("id,SELFIES\n1,[C]\n", r"files must hold SMILES, .*; got the column 'SELFIES' in .*mine.smi', line 1"),
        ("nonsense\nmore\n", r"usable molecule, got none.*left out: 2 \(not a SMILES: 2, such as 'nonsense'"),
        ("CCO\nCCN\n", "less than half of the distinct sequences, which are 2"),
        ("\n\n", "only whitespace"),
    ],
)
def test_files_without_molecules_are_named(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        of_lines(tmp_path, text)


def test_atoms_are_one_symbol():
    task = gg.molecules_task(FIXTURE, tokens="atoms", max_length=0)
    assert {"Cl", "Br", "[nH]", "[C@H]", "[Na+]", "c", "="} <= set(task.symbols)
    assert not {"l", "r", "[", "H"} & set(task.symbols)
    splits = (task.train, task.validation, task.test)
    assert all((task.encode(task.decode(each.tokens)) == each.tokens).all() for each in splits)
    assert task.encode(["ClCCl"]).tolist()[0][:4] == [task.symbols.index(each) for each in ("Cl", "C", "Cl", "")]


@needs_selfies
def test_selfies_are_read_back_and_always_valid():
    task = gg.molecules_task(FIXTURE, tokens="selfies", max_length=0)
    known = set(all_strings(gg.molecules_task(FIXTURE, max_length=0)))
    molecules = [chemistry.parse(selfies_to_smiles(string)) for string in all_strings(task)]
    assert {chemistry.canonical(each) for each in molecules} == known
    assert task.is_valid("[C][C][=C][Ring1][O]")
    assert not task.is_valid("[C][C")
    assert not task.is_valid("")


def test_validity_is_measured_and_more_symbols_are_taken():
    task = gg.molecules_task(FIXTURE, max_length=0)
    assert task.oracle.validity_method == "RDKit"
    tokens = task.encode(["CCO", "C1CC", "CC(C", "CCO"])
    metrics = evaluation.sample_metrics(tokens, task)
    assert metrics == {"distinct_strings": 3.0, "sampled_validity": 0.5}
    # The oracle only checks validity, so that a run may start from a run with another vocabulary.
    joined = _with_symbols(task, ("X", *task.symbols))
    assert joined.decode(joined.train.tokens) == task.decode(task.train.tokens)


def test_pictures_are_drawn_with_the_reason():
    valid = molecule_picture(ASPIRIN)
    assert (valid.caption, valid.reason) == (ASPIRIN, None)
    assert valid.svg.startswith("<?xml")
    wrong = molecule_picture("CC(C)(C)(C)C")
    assert wrong.reason == "too many bonds of C"
    assert "#FF7F7F" in wrong.svg  # the atom is marked
    assert "#FF7F7F" not in valid.svg
    assert molecule_picture("C1CC") == (None, "C1CC", "a ring is not closed")
    assert molecule_picture("") == (None, "", "an empty molecule")


@needs_selfies
def test_pictures_of_selfies_show_their_smiles():
    assert molecule_picture("[C][C][O]", tokens="selfies").caption == "CCO"


def test_a_report_draws_molecules_and_no_other_samples(tmp_path, monkeypatch):
    folder = write_run(
        tmp_path / "run",
        algorithm="relaxed_gan",
        losses=lambda step, replicas: {"generator_loss": [1.0] * replicas},
        validity=[0.5, 0.5],
        kl=[0.1, 0.1],
    )
    (grammar,) = read_runs([folder])
    assert drawn_samples(grammar) == ([], None)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"task": {"name": "molecules", "tokens": "characters"}}))
    (folder / "samples.txt").write_text("CCO\nC1CC\nCC(C)(C)(C)C\n" * 2)
    (run,) = read_runs([folder])
    pictures, note = drawn_samples(run)
    assert [(each.caption, each.reason, each.source is None) for each in pictures] == [
        ("CCO", None, False),
        ("C1CC", "a ring is not closed", True),
        ("CC(C)(C)(C)C", "too many bonds of C", False),
    ]
    assert note is None
    text = page.write(compare([run], title="molecules"), tmp_path / "report").read_text()
    for shown in ("Drawn samples", pictures[0].source, "✗ too many bonds of C", "not to be drawn"):
        assert shown in text
    monkeypatch.setitem(sys.modules, "rdkit", None)
    pictures, note = drawn_samples(run)
    assert pictures == []
    assert "pip install 'gumbel_gan[molecules]'" in note


@needs_moses
def test_moses_is_read_by_path():
    task = gg.molecules_task(max_length=20, tokens="atoms")
    assert (len(task.train.tokens) + len(task.validation.tokens), len(task.test.tokens)) == (505, 63)
    assert len(task.validation.tokens) == 50
    strings = all_strings(task)
    assert len(set(strings)) == 568
    assert all(15 <= len(string) <= 20 and chemistry.is_valid(string) for string in strings)
    assert gg.molecules_task(max_length=20, test="test_scaffolds").test.tokens.shape[0] == 17
    with pytest.raises(ValueError, match="num_heldout must be less than the number of molecules, 0"):
        gg.molecules_task(max_length=5)


@pytest.mark.parametrize(
    ("package", "arguments", "line"),
    [
        ("rdkit", {"files": str(FIXTURE)}, "pip install 'gumbel_gan[molecules]'"),
        ("selfies", {"files": str(FIXTURE), "tokens": "selfies"}, "pip install 'gumbel_gan[molecules]'"),
        ("molsets", {}, "pip install --no-deps molsets==0.3.1"),
    ],
)
def test_a_missing_package_is_named_with_its_install_line(package, arguments, line, monkeypatch):
    actual, distribution = builtins.__import__, metadata.distribution

    def without(name, *rest, **named):
        if name.partition(".")[0] == package:
            raise ImportError(name)
        return actual(name, *rest, **named)

    def not_found(name):
        if name == package:
            raise metadata.PackageNotFoundError(name)
        return distribution(name)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(metadata, "distribution", not_found)
    with pytest.raises(ImportError) as error:
        gg.molecules_task(**arguments)
    assert package in str(error.value)
    assert line in str(error.value)


def test_backslashes_are_drawn_as_sampled(tmp_path):
    strings = [r"[C][\F]", r"F/C=C\n1cccc1"]
    write_samples(tmp_path / "samples.txt", strings)
    (tmp_path / "own.txt").write_text("\n".join(strings))
    assert read_strings([str(tmp_path / "samples.txt")], 2) == strings
    assert read_strings([str(tmp_path / "own.txt")], 2) == strings
