import pytest

from experiments.config import sweeps
from experiments.config.replicas import replica_names, replicas, sweep
from experiments.config.run_config import RunConfig, Section

RATE = "algorithm.generator_optimizer.learning_rate"


def config(given=None):
    section = Section("any", {})
    return RunConfig(section, section, seed=3, num_seeds=2, sweep=sweeps.parse(given))


def test_without_a_sweep_the_replicas_are_the_seeds():
    for none in (None, "", {}):
        assert replicas(config(none)) == ([3, 4], [0, 0])
        assert sweep(config(none)) == [{}]
        assert replica_names(config(none)) == ["seed_3", "seed_4"]


@pytest.mark.parametrize(
    "given",
    [
        {"algorithm.ema_decay": [0.5, 0.7, 0.9], RATE: ["cosine(1e-3, 5e-5)", 1e-3, "2e-3"]},
        {
            "algorithm": {
                "ema_decay": (0.5, 0.7, 0.9),
                "generator_optimizer": {"learning_rate": ("cosine(1e-3, 5e-5)", 1e-3, "2e-3")},
            }
        },
        f"algorithm.ema_decay=[0.5, 0.7, 0.9]; {RATE} = ['cosine(1e-3, 5e-5)', 1e-3, '2e-3'];",
    ],
)
def test_lists_are_zipped_and_every_point_has_every_seed(given):
    swept = config(given)
    assert replicas(swept) == ([3, 4, 3, 4, 3, 4], [0, 0, 1, 1, 2, 2])
    assert sweep(swept) == [
        {"algorithm.ema_decay": "0.5", RATE: "cosine(1e-3, 5e-5)"},
        {"algorithm.ema_decay": "0.7", RATE: "0.001"},
        {"algorithm.ema_decay": "0.9", RATE: "2e-3"},
    ]
    assert replica_names(swept)[-1] == "point_2/seed_4"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"algorithm.a": [1.0, 2.0], "algorithm.b": [1.0]}, "algorithm.b must have as many values as .*, 2, got 1"),
        ({"algorithm.a": []}, r"algorithm.a must be a list of numbers or schedules, got \[\]"),
        ({"algorithm.a": 1.0}, "algorithm.a must be a list of numbers or schedules, got 1.0"),
        ({"algorithm.a": [float("nan")]}, r"algorithm.a must be a list of numbers or schedules, got \[nan\]"),
        ({"algorithm.a": [True]}, r"algorithm.a must be a list of numbers or schedules, got \[True\]"),
        ({"num_steps": [1, 2]}, "must name settings of the algorithm, got 'num_steps'"),
        (5, "must map paths of settings to lists of their values, got 5"),
        ("algorithm.a", "must be such as .*, got 'algorithm.a': there is no '='"),
        ("algorithm.a=[1.0, x]", "must be such as .*, got 'algorithm.a="),
        ("-" * 3_000, "must be such as"),
    ],
)
def test_a_wrong_sweep_is_named(given, message):
    with pytest.raises(ValueError, match=rf"^config\.sweep:? {message}"):
        sweeps.parse(given)
