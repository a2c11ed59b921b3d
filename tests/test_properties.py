"""Property tests of all public functions: valid arguments give a finite result, others an error with their name."""

import inspect

import pytest
from hypothesis import strategies as st

import gumbel_gan as gg
from gumbel_gan import data, evaluation, metrics, model, schedules, sharding, training, unroll
from tests.properties import algorithms, losses, models, networks, one_pass, relaxation, tasks, unrolls
from tests.properties import data as of_data
from tests.properties import evaluation as of_evaluation
from tests.properties import metrics as of_metrics
from tests.properties import saving as of_saving
from tests.properties import schedules as of_schedules
from tests.properties import sharding as of_sharding
from tests.properties.case import check_error, check_result, for_all

CASES = {
    name: case
    for module in (
        relaxation,
        losses,
        of_schedules,
        networks,
        one_pass,
        models,
        unrolls,
        algorithms,
        tasks,
        of_metrics,
        of_data,
        of_saving,
        of_evaluation,
        of_sharding,
    )
    for name, case in module.CASES.items()
}


def test_every_public_function_has_a_property():
    public = {name for name in gg.__all__ if inspect.isfunction(getattr(gg, name))}
    named = {name for module in (metrics,) for name in module.__all__ if inspect.isfunction(getattr(module, name))}
    own = {
        f"{module.__name__.removeprefix('gumbel_gan.')}.{name}"
        for module in (data, evaluation, model, schedules, sharding, training, unroll)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_" and name not in public
    }
    assert public | named | own <= set(CASES)


@pytest.fixture(params=[2, pytest.param(100, marks=pytest.mark.slow)], ids=["few", "all"])
def at_most(request):
    """Returns the largest number of examples of a property, which limits `num_examples` of its case."""
    return request.param


@pytest.mark.parametrize("name", CASES)
def test_valid_arguments_have_a_finite_result(name, at_most):
    case = CASES[name]

    def prop(data):
        given = data.draw(case.valid)
        check_result(case.function(**given), case, given)

    for_all(prop, min(case.num_examples, at_most))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.invalid])
def test_an_invalid_argument_is_named(name, at_most):
    case = CASES[name]

    def prop(data):
        given = data.draw(case.valid)
        invalid = data.draw(st.sampled_from(sorted(case.invalid)))
        given[invalid] = data.draw(case.invalid[invalid], label=invalid)
        try:
            result = case.function(**given)
        except Exception as error:
            check_error(error, [invalid])
        else:
            pytest.fail(f"{invalid}={given[invalid]!r} had the result {result!r}")

    for_all(prop, min(case.num_examples, at_most))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.unusual or len(case.invalid) > 1])
def test_any_arguments_have_a_result_or_a_named_error(name, at_most):
    case = CASES[name]

    def prop(data):
        given = data.draw(case.valid)
        for argument in given:
            others = [each[argument] for each in (case.invalid, case.unusual) if argument in each]
            if others and data.draw(st.booleans()):
                given[argument] = data.draw(st.one_of(others), label=argument)
        try:
            case.function(**given)
        except Exception as error:
            check_error(error, given)

    for_all(prop, min(case.num_examples, at_most))
