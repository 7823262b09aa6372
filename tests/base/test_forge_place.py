"""Which repository of which forge a remote's URL names, and that no secret in it is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.forge import Place, dispatch, place_of


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/demo.git", "https://github.com/acme/demo", "https://me:secret@github.com/acme/demo/",
        "git@github.com:acme/demo.git", "ssh://git@github.com/acme/demo.git", "ssh://git@github.com:22/acme/demo",
        "github.com:acme/demo",
    ],
)  # fmt: skip
def test_every_way_to_write_it(url: str) -> None:
    """As git takes them."""
    assert place_of(url) == Place("github.com", "acme/demo")


@pytest.mark.parametrize(
    "url", ["/srv/git/demo.git", "../origin.git", "file:///srv/acme/demo", "https://me:secret@x/y"]
)
def test_others_are_refused(url: str) -> None:
    """Without showing what may be a password."""
    with pytest.raises(UsageError, match="no repository on GitHub") as refused:
        place_of(url)
    assert "secret" not in str(refused.value)


@given(st.text())
def test_any_text_is_a_place_or_usage(url: str) -> None:
    """Nothing of it ends up in another part of an address."""
    try:
        place = place_of(url)
    except UsageError:
        return
    assert place.path.count("/") == 1 and not set(place.host + place.path) & set("@? #\n")


def test_where_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Actions says it, else by the host."""
    monkeypatch.delenv("GITHUB_API_URL", raising=False)
    assert Place("github.com", "a/b").api == "https://api.github.com"
    assert Place("git.example.org", "a/b").api == "https://git.example.org/api/v3"
    monkeypatch.setenv("GITHUB_API_URL", "https://there/api")
    assert Place("github.com", "a/b").api == "https://there/api"


def test_a_token_goes_over_an_encrypted_line_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Or to this machine itself."""
    monkeypatch.setenv("GH_TOKEN", "t")
    monkeypatch.setenv("GITHUB_API_URL", "http://there")
    with pytest.raises(UsageError, match="a token is not sent"):
        dispatch(Place("there", "a/b"), "x.yml", "roadmap", {}, tmp_path / "log")


def test_without_token_and_gh_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With both ways out."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EnvironmentFailure, match="no token and no gh"):
        dispatch(Place("github.com", "a/b"), "x.yml", "roadmap", {}, tmp_path / "log")


def test_with_gh_and_no_token_gh_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each word an argument of its own, whatever is in it; its failure is said with where to read on."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    script = tmp_path / "gh"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >'{tmp_path}/asked'\n[ ! -e '{tmp_path}/refuses' ]\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    place, inputs = Place("git.example.org", "a/b"), {"tasks": '["US-1; id"]'}
    dispatch(place, "x.yml", "roadmap", inputs, tmp_path / "log")
    words = ["workflow", "run", "x.yml", "--repo", "git.example.org/a/b", "--ref", "roadmap", "-f"]
    assert (tmp_path / "asked").read_text().splitlines() == [*words, 'tasks=["US-1; id"]']
    (tmp_path / "refuses").touch()
    with pytest.raises(EnvironmentFailure, match="gh could not start"):
        dispatch(place, "x.yml", "roadmap", inputs, tmp_path / "log")
