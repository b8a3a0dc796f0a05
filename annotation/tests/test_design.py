"""Designs: every fault is named at its field, and a good one survives the way to JSON and back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import annotation
from annotation.design import (
    ArmDesign,
    DesignRefused,
    PairDesign,
    StudyDesign,
    canonical_json,
    design_from_dict,
    design_from_toml,
    design_to_dict,
)

PAIR = {"size": "1L", "layers": [0], "arms": {"baseline": "a", "solu": "b"}}
GOOD = {"title": "A study", "slug": "a-study", "seed": 1, "corpus": "embedded", "pairs": [PAIR]}
TEMPLATES = sorted((Path(annotation.__file__).parent / "study_templates").glob("*.toml"))


# Template -> task, sizes, neurons per size and arm, neurons in all, raters, raters per neuron.
PUBLISHED = {
    "solu_1l.toml": ("first_glance", 1, 60, 180, 3, 3),
    "solu_two_sizes.toml": ("first_glance", 2, 30, 120, 3, 3),
    "solu_with_controls.toml": ("first_glance", 1, 30, 240, 3, 3),
    "solu_paper.toml": ("first_glance", 5, 60, 660, 3, 3),
    "gated_sae.toml": ("first_glance", 15, 5, 150, 5, 1),
    "towards_monosemanticity.toml": ("rubric", 1, 81, 162, 1, 1),
    "imi.toml": ("forced_choice", 1, 84, 168, 126, 30),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_shipped_template_is_a_good_design(path):
    design = design_from_toml(path.read_text())
    assert design.display in {"peak", "matched"}
    assert (
        design.protocol,
        len(design.pairs),
        design.neurons_per_arm,
        design.items_total,
        design.raters,
        design.raters_per_neuron,
    ) == PUBLISHED[path.name]


def test_the_paper_has_its_layernorm_arm_at_one_size_and_all_layers_of_each():
    design = design_from_toml(next(path for path in TEMPLATES if path.name == "solu_paper.toml").read_text())
    assert [len(pair.layers) for pair in design.pairs] == [1, 16, 24, 40, 64]
    assert [pair.layers for pair in design.pairs] == [tuple(range(len(pair.layers))) for pair in design.pairs]
    extra = [(pair.size, arm.name) for pair in design.pairs for arm in pair.arms if arm.name == "ln_only"]
    assert extra == [("16L", "ln_only")]


def test_no_template_tells_its_raters_an_arm():
    for path in TEMPLATES:
        design = design_from_toml(path.read_text())
        told = f"{design.title} {design.slug} {design.instructions}".lower().replace("-", " ").split()
        assert {arm.name for pair in design.pairs for arm in pair.arms}.isdisjoint(told), path.name


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"title": " "}, "title", "empty"),
        ({"title": "x" * 161}, "title", "161 characters; at most 160"),
        ({"title": 7}, "title", "Received 7; give a text"),
        ({"slug": "A Study"}, "slug", "'A Study'"),
        ({"slug": "a--b"}, "slug", "single hyphens"),
        ({"seed": -1}, "seed", "Received -1; give a whole number from 0"),
        ({"seed": True}, "seed", "Received True"),
        ({"seed": 1.5}, "seed", "Received 1.5"),
        ({"display": "neon"}, "display", "choose one of: peak, rank, matched, proportional"),
        ({"protocol": "tarot"}, "protocol", "choose one of: first_glance"),
        ({"rater_kind": "llm"}, "rater_kind", "choose one of: human, simulated"),
        ({"neurons_per_arm": 0}, "neurons_per_arm", "Received 0; give a whole number from 1"),
        ({"raters": 2, "raters_per_neuron": 3}, "raters_per_neuron", "Received 3; at most the number of raters, 2"),
        ({"raters_per_neuron": 4}, "raters_per_neuron", "Received 4; at most the number of raters, 3"),
        ({"neurons": 60}, "neurons", "Unknown field; known are: title"),
        ({"pairs": []}, "pairs", "at least one pair"),
        ({"pairs": [PAIR, PAIR]}, "pairs", "'1L' stands in 2 pairs"),
        ({"pairs": ["1L"]}, "pairs[0]", "Received '1L'"),
        ({"pairs": [PAIR | {"layers": [0, 0]}]}, "pairs[0].layers", "[0, 0]"),
        ({"pairs": [PAIR | {"layers": []}]}, "pairs[0].layers", "different whole numbers"),
        ({"pairs": [PAIR | {"layers": [-1]}]}, "pairs[0].layers", "[-1]"),
        ({"pairs": [PAIR | {"arms": {}}]}, "pairs[0].arms", "name = network"),
        ({"pairs": [PAIR | {"arms": {"So LU": "a"}}]}, "pairs[0].arms", "'So LU'"),
        ({"pairs": [PAIR | {"arms": {"solu": ""}}]}, "pairs[0].arms.solu", "name of a network"),
        ({"pairs": [PAIR | {"arms": {"a": "x", "b": "x"}}]}, "pairs[0].arms", "need another network, kind or site"),
        ({"pairs": [PAIR | {"size": ""}]}, "pairs[0].size", "empty"),
        ({"pairs": [PAIR | {"depth": 1}]}, "pairs[0].depth", "Unknown field"),
    ],
)
def test_a_fault_is_named_with_field_received_and_allowed(changes, field, message):
    with pytest.raises(DesignRefused) as refused:
        design_from_dict(GOOD | changes)
    assert field in dict(refused.value.problems)
    assert message in dict(refused.value.problems)[field]


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_required_field_is_named(field):
    with pytest.raises(DesignRefused) as refused:
        design_from_dict({name: value for name, value in GOOD.items() if name != field})
    assert refused.value.problems == ((field, "Missing; give a value."),)


def test_all_faults_are_told_at_once():
    with pytest.raises(DesignRefused) as refused:
        design_from_dict(GOOD | {"seed": -1, "display": "neon", "colour": "red"})
    assert {field for field, _ in refused.value.problems} == {"seed", "display", "colour"}


def test_a_text_that_is_not_toml_is_refused_with_the_place():
    with pytest.raises(DesignRefused, match="line 2"):
        design_from_toml('title = "x"\nslug = what\n')


def test_a_design_built_directly_is_checked_too():
    pair = PairDesign("1L", (0,), (ArmDesign("solu", "a"),))
    with pytest.raises(DesignRefused) as refused:
        StudyDesign(title="T", slug="t", seed=1, corpus="c", pairs=(pair,), display="neon")
    assert refused.value.field == "display"


def test_raters_per_neuron_follows_raters_unless_given():
    assert design_from_dict(GOOD | {"raters": 5}).raters_per_neuron == 5


def test_instructions_become_paragraphs_without_line_breaks():
    design = design_from_dict(GOOD | {"instructions": "One\nline.\n\n  \nSecond  paragraph.\n"})
    assert design.paragraphs == ("One line.", "Second paragraph.")


@given(
    seed=st.integers(0, 2**63 - 1),
    neurons=st.integers(1, 10_000),
    title=st.text(min_size=1, max_size=160).filter(str.strip).filter(lambda text: text.isprintable()),
    layers=st.lists(st.integers(0, 63), min_size=1, max_size=5, unique=True),
)
def test_a_design_survives_the_way_to_canonical_json_and_back(seed, neurons, title, layers):
    pair = PAIR | {"layers": layers}
    design = design_from_dict(GOOD | {"seed": seed, "neurons_per_arm": neurons, "title": title, "pairs": [pair]})
    text = canonical_json(design_to_dict(design))
    assert design_from_dict(json.loads(text)) == design
    assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize(
    ("analysis", "field", "message"),
    [
        ({"question": "all"}, "analysis.question", "choose one of: panel, generalising"),
        ({"treatment": "nobody"}, "analysis.treatment", "choose one of: baseline, solu, or leave it empty"),
        ({"baseline": "solu", "treatment": "solu"}, "analysis.treatment", "name another arm"),
        ({"treatment": "baseline"}, "analysis.treatment", "the baseline too"),
        ({"question": "generalising", "vote": "majority"}, "analysis.vote", "give 'mean'"),
        ({"size": "9L"}, "analysis.size", "choose one of"),
        ({"level": 95}, "analysis.level", "give a number from 0.8 to 0.999"),
        ({"looks": 0}, "analysis.looks", "give a whole number from 1 to 10"),
    ],
)
def test_a_plan_of_analysis_that_the_design_cannot_hold_is_refused(analysis, field, message):
    with pytest.raises(DesignRefused) as refused:
        design_from_dict({**GOOD, "analysis": analysis})
    assert refused.value.field == field
    assert message in refused.value.message


def test_new_raters_are_not_asked_about_with_two_and_a_majority_takes_an_odd_number():
    for analysis in ({"question": "generalising"}, {"vote": "majority"}):
        with pytest.raises(DesignRefused):
            design_from_dict({**GOOD, "raters": 2, "analysis": analysis})
        assert design_from_dict({**GOOD, "raters": 3, "analysis": analysis}).analysis
