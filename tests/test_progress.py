import io

import numpy as np
from rich.console import Console

from experiments import cli
from experiments.run.progress import BytesLine, ProgressLine


def line(metrics):
    console = Console(file=io.StringIO(), width=100)
    ProgressLine(console, 100, 0).update(50, metrics)
    return console.file.getvalue()


def test_a_diverged_replica_is_left_out_and_counted():
    losses = np.array([1.0, np.nan, 3.0, 2.0])
    shown = line({"generator_loss": losses, "validity": np.array([0.5, 0.5, np.nan, 0.5]), "temperature": 1.0})
    assert "generator loss 2 " in shown
    assert "validity 0.5 " in shown
    assert "temperature 1 " in shown
    assert "2 of 4 diverged" in shown


def test_nothing_is_said_of_replicas_that_train():
    assert "diverged" not in line({"generator_loss": np.array([1.0, 2.0]), "validity": np.array([0.0, 1.0])})
    assert "1 of 1 diverged" in line({"generator_loss": np.array([np.nan])})


def test_what_explodes_is_shown_as_it_is():
    shown = line({"generator_loss": np.array([1e31, 2e31, 3e31]), "validity": np.array([np.nan] * 3)})
    assert "generator loss 2e+31  validity nan  3 of 3 diverged" in shown
    assert "generator loss -inf" in line({"generator_loss": np.array([-np.inf])})


def test_texts_that_look_like_markup_or_emoji_are_printed_as_they_are(capsys):
    text = r"[C][/C] [nH] :o: [bold]x"
    ProgressLine(cli.screen(), 100, 0).print(text)
    BytesLine(cli.screen()).update(text, 1, 2)
    assert capsys.readouterr().out.count(text) == 2
