"""Bad settings stop the start and say what to write."""

import pytest

from evalsite.env import BadSetting, env_bool, env_int, env_list, env_secret


def test_a_truth_value_must_be_true_or_false(monkeypatch):
    monkeypatch.setenv("X", "yes")
    with pytest.raises(BadSetting, match="X is 'yes'; write True or False"):
        env_bool("X", False)
    monkeypatch.setenv("X", "True")
    assert env_bool("X", False) is True


def test_a_number_must_be_whole(monkeypatch):
    monkeypatch.setenv("X", "3.5")
    with pytest.raises(BadSetting, match=r"'3\.5'"):
        env_int("X", 1)
    monkeypatch.delenv("X")
    assert env_int("X", 1) == 1


def test_lists_are_parted_by_commas(monkeypatch):
    monkeypatch.setenv("X", "a.example, b.example,")
    assert env_list("X", []) == ["a.example", "b.example"]


def test_a_public_site_without_a_secret_does_not_start(monkeypatch):
    monkeypatch.delenv("X", raising=False)
    with pytest.raises(BadSetting, match="long random value"):
        env_secret("X", own_file=None)


def test_an_installation_makes_its_own_secret_once_and_keeps_it_to_itself(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    path = tmp_path / "folder" / "secret"
    first = env_secret("X", own_file=path)
    assert len(first) >= 48
    assert env_secret("X", own_file=path) == first
    assert path.stat().st_mode & 0o077 == 0
    assert env_secret("X", own_file=tmp_path / "other") != first
