"""Arms of a design: neurons, and controls that tell what a rate is worth."""

import pytest

from annotation.design import ArmDesign, DesignRefused, design_from_dict, design_to_dict

GOOD = {"title": "A study", "slug": "a-study", "seed": 1, "corpus": "embedded"}
DIRECTIONS = {"network": "a", "kind": "random_directions", "basis": "random:64:7"}


def make_design(arms):
    return design_from_dict(GOOD | {"pairs": [{"size": "1L", "layers": [0], "arms": arms}]})


def problems_of(arms):
    with pytest.raises(DesignRefused) as refused:
        make_design(arms)
    return dict(refused.value.problems)


def test_a_plain_text_is_the_neurons_of_a_network_before_any_extra_layernorm():
    arm = make_design({"baseline": "a", "solu": "b"}).pairs[0].arms[0]
    assert arm == ArmDesign("baseline", "a", kind="neurons", site="post_act", basis="neurons")


def test_arms_of_every_kind_survive_the_way_to_plain_data_and_back():
    arms = {
        "baseline": "a",
        "solu": {"network": "b"},
        "solu_post_ln": {"network": "b", "site": "post_ln"},
        "directions": DIRECTIONS,
        "directions_post_ln": DIRECTIONS | {"network": "b", "site": "post_ln"},
        "fake": {"kind": "random_snippets"},
    }
    design = make_design(arms)
    assert [arm.name for arm in design.pairs[0].arms] == list(arms)
    assert design_from_dict(design_to_dict(design)) == design


def test_two_arms_may_share_a_network_if_kind_site_or_directions_differ():
    other = DIRECTIONS | {"basis": "random:64:8"}
    assert make_design({"a": "a", "b": {"network": "a", "site": "post_ln"}, "c": DIRECTIONS, "d": other})
    problem = problems_of({"a": "a", "b": {"network": "a", "kind": "neurons"}})["pairs[0].arms"]
    assert "for a and b" in problem
    assert "another network, kind or site" in problem


@pytest.mark.parametrize(
    ("told", "field", "message"),
    [
        ({"network": "a", "colour": "red"}, ".x.colour", "Unknown field; known are: network, kind, site, basis"),
        ({"network": "a", "kind": "tarot"}, ".x.kind", "choose one of: neurons, random_directions, random_snippets"),
        ({"network": "a", "site": "mlp"}, ".x.site", "choose one of: post_act, post_ln"),
        ({"network": ""}, ".x", "name of a network"),
        ({"network": 7}, ".x.network", "Received 7; give a text"),
        (7, ".x", "Received 7; give the name of a network"),
        ({"network": "a", "kind": "random_directions"}, ".x.basis", "as in random:1024:7"),
        (DIRECTIONS | {"basis": "random:0:1"}, ".x.basis", "1 to 65,536"),
        (DIRECTIONS | {"basis": "pca:3"}, ".x.basis", "'pca:3' is no basis"),
        ({"network": "a", "basis": "random:9:1"}, ".x.basis", "need the kind random_directions"),
        ({"kind": "random_snippets", "network": "a"}, ".x.network", "come from the corpus: leave it out"),
    ],
)
def test_a_fault_in_an_arm_is_named_with_field_received_and_allowed(told, field, message):
    assert message in problems_of({"baseline": "b", "x": told})["pairs[0].arms" + field]


def test_random_snippets_need_an_arm_whose_marks_they_imitate():
    assert "add an arm" in problems_of({"fake": {"kind": "random_snippets"}})["pairs[0].arms"]
