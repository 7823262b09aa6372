"""``.coffee.yaml``: every key means what it says, and every mistake is one line that says where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from coffee_hooks.base.config import Agent, Cleanup, Config, Evaluate, Gate, Hooks, Merge, Ready, Review, Worktrees
from coffee_hooks.base.config_file import LONGEST_FILE, parse_config, parse_duration
from coffee_hooks.base.errors import UsageError

EVERYTHING = """\
target: trunk
remote: upstream
shared: true
roadmap: ROADMAP.md
specs: specs
gate:
  {command: [tox, -e, 3.10, yes, 010, 1e3, ""], setup: [make], timeout: 45m, retries: 0, jobs: 2, keep: [.venv],
   environment: [uv.lock]}
worktrees: {root: /var/trees, copy: [], setup: [npm, ci]}
agent:
  {command: [my agent, "{prompt}"], prompt: do it, max-parallel: 5, timeout: 1.5h, idle-timeout: 90, retries: 0,
   env: [GH_TOKEN]}
agents: {fast: {command: codex}, "slow one": {timeout: 2d}}
ready: {signal: required, ignore: ["*.tmp"]}
review: {command: [review], reports: docs/reviews, timeout: 5m, jobs: 2}
evaluate: {risk: 0.25, architect: [judge]}
merge: {auto: false, batch: 4, mark-complete: no, protect: []}
cleanup: {after-merge: off, remote: false, min-age: 1h, precious: [keep.me]}
hooks:
  {after-create: [a], before-agent: [b], after-agent: [c], before-merge: [d], after-merge: [e], before-remove: [f],
   notify: [g], timeout: 20s}
poll: 5s
"""

MEANT = Config(
    target="trunk",
    remote="upstream",
    shared=True,
    roadmap="ROADMAP.md",
    specs="specs",
    gate=Gate(("tox", "-e", "3.10", "yes", "010", "1e3", ""), ("make",), 2700, 0, 2, (".venv",), ("uv.lock",)),  # type: ignore[arg-type]
    worktrees=Worktrees("/var/trees", (), ("npm", "ci")),
    agent=Agent(("my agent", "{prompt}"), "do it", 5, 5400, 90, 0, ("GH_TOKEN",)),  # type: ignore[arg-type]
    agents={"fast": Agent("codex"), "slow one": Agent(timeout=172800)},  # type: ignore[arg-type]
    ready=Ready("required", ("*.tmp",)),
    review=Review(("review",), "docs/reviews", 300, 2),  # type: ignore[arg-type]
    evaluate=Evaluate(0.25, ("judge",)),
    merge=Merge(False, 4, False, ()),
    cleanup=Cleanup(False, False, 3600, ("keep.me",)),  # type: ignore[arg-type]
    hooks=Hooks(("a",), ("b",), ("c",), ("d",), ("e",), ("f",), ("g",), 20),  # type: ignore[arg-type]
    poll=5,  # type: ignore[arg-type]
)

DEFAULTS = """\
target: roadmap
remote: auto
shared: false
specs: docs/architecture/specs
gate: {setup: [], timeout: 30m, retries: 1, jobs: 1, keep: [], environment: []}
worktrees: {root: "../{repo}.worktrees", copy: [.env], setup: []}
agent: {command: claude, prompt: null, max-parallel: 3, timeout: 2h, idle-timeout: 30m, retries: 2, env: []}
ready: {signal: managed, ignore: []}
review: {command: null, reports: null, timeout: 30m, jobs: 1}
evaluate: {risk: auto, architect: null}
merge: {auto: true, batch: auto, mark-complete: true, protect: [.github/workflows/]}
cleanup: {after-merge: true, remote: true, min-age: 0s, precious: [".env*", "*.local", "*.db", "*.sqlite*"]}
hooks:
  {after-create: [], before-agent: [], after-agent: [], before-merge: [], after-merge: [], before-remove: [],
   notify: [], timeout: 10m}
poll: 30s
"""


def parsed(text: str | bytes, environ: Mapping[str, str] | None = None) -> Config:
    return parse_config(text.encode() if isinstance(text, str) else text, environ or {})


def refused(text: str | bytes, environ: Mapping[str, str] | None = None) -> str:
    """The error and its hint as one text."""
    with pytest.raises(UsageError) as failed:
        parsed(text, environ)
    assert failed.value.hint
    return f"{failed.value.what} | {failed.value.hint}"


def test_every_key_is_read() -> None:
    """Each key of the contract, with a value that is not its default, arrives as that value."""
    assert parsed(EVERYTHING) == MEANT


def test_the_defaults_are_those_of_the_contract() -> None:
    """No file, an empty one, empty sections and the defaults spelled out are all the same."""
    sections = "gate:\nworktrees: ~\nagent: {}\nagents:\nready:\n"
    for text in ("", "# nothing\n", "---\n", "null\n", sections, DEFAULTS):
        assert parsed(text) == Config()


def test_every_key_can_be_set_by_the_environment() -> None:
    """``COFFEE_SECTION__KEY`` of every key alone changes that key alone, and wins over the file."""
    told = yaml.compose(EVERYTHING)
    assert told is not None
    one_by_one = Config()
    for key, value in told.value:
        inner = value.value if isinstance(value, yaml.MappingNode) and key.value != "agents" else [(None, value)]
        for name, node in inner:
            path = [key.value, *([name.value] if name else [])]
            variable = "COFFEE_" + "__".join(path).upper().replace("-", "_")
            written = EVERYTHING[node.start_mark.index : node.end_mark.index]
            before, one_by_one = one_by_one, _one(one_by_one, MEANT, path)
            assert parsed("", {variable: written}) != Config(), variable
            assert parsed(_dump(before), {variable: written}) == one_by_one, variable
    assert one_by_one == MEANT


def _one(config: Config, meant: Config, path: list[str]) -> Config:
    """*config* with the key at *path* as in *meant*."""
    section, *rest = (part.replace("-", "_") for part in path)
    if not rest:
        return replace(config, **{section: getattr(meant, section)})
    inner = replace(getattr(config, section), **{rest[0]: getattr(getattr(meant, section), rest[0])})
    return replace(config, **{section: inner})


def _dump(config: Config) -> str:
    """The part of *config* that differs from the defaults, as the file that says so."""
    from dataclasses import asdict

    def plain(value: object, default: object) -> object:
        if isinstance(value, dict):
            known = default if isinstance(default, dict) else {}
            return {
                key.replace("_", "-"): plain(inner, known.get(key))
                for key, inner in value.items()
                if inner != known.get(key, object())
            }
        return list(value) if isinstance(value, tuple) else value

    agent = asdict(Agent())
    whole, default = asdict(config), asdict(Config())
    whole["agents"] = {name: plain(value, agent) for name, value in whole["agents"].items()}
    return yaml.safe_dump(
        {key.replace("_", "-"): plain(whole[key], default[key]) for key in whole if whole[key] != default[key]}
    )


def test_one_agent_of_several_is_changed_by_the_environment() -> None:
    """The other agents, and the other settings of that one, stay."""
    text = "agents: {fast: {command: [x], retries: 7}, slow: {command: codex}}"
    found = parsed(text, {"COFFEE_AGENTS__FAST__MAX_PARALLEL": "9"})
    assert found.agents == {"fast": Agent(("x",), max_parallel=9, retries=7), "slow": Agent("codex")}


def test_values_of_the_environment_are_yaml() -> None:
    """The examples of the contract, an empty value as null, and text that looks like a number in quotes."""
    environ = {"COFFEE_GATE__COMMAND": "[make, test]", "COFFEE_REMOTE": "null", "COFFEE_SPECS": "'2024'"}
    found = parsed("remote: upstream", environ)
    assert (found.gate.command, found.remote, found.specs) == (("make", "test"), None, "2024")
    assert parsed("", {"COFFEE_REMOTE": ""}).remote is None


@pytest.mark.parametrize(
    "name",
    [
        "COFFEE_SHOP",
        "COFFEE_",
        "COFFEE_TASK_ID",
        "COFFEE_PORT",
        "COFFEE_MAKER_URL",
        "COFFEE",
        "XCOFFEE_TARGT",
        "coffee_x",
    ],
)
def test_variables_of_other_programs_are_left_alone(name: str) -> None:
    """An environment belongs to many; only what reads like one of our keys is taken for one."""
    assert parsed("", {name: "[not: {yaml"}) == Config()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("COFFEE_TARGTE", "x", "COFFEE_TARGTE: unknown key targte | did you mean target?"),
        ("COFFEE_GATE__COMAND", "[x]", "COFFEE_GATE__COMAND: unknown key gate.comand | did you mean gate.command?"),
        ("COFFEE_GAET__COMMAND", "[x]", "COFFEE_GAET__COMMAND: unknown key gaet | did you mean gate?"),
        ("COFFEE_GATE__COMMAND__X", "1", "COFFEE_GATE__COMMAND__X: gate.command must be a list"),
        ("COFFEE_GATE", "[make, test]", "COFFEE_GATE: gate must be a mapping of keys to values"),
        ("COFFEE_POLL", "soon", "COFFEE_POLL: poll must be a duration such as 30s, 45m or 2h"),
        ("COFFEE_GATE__COMMAND", "make test", "COFFEE_GATE__COMMAND: gate.command must be a list such as [make, test]"),
        ("COFFEE_GATE__COMMAND", "[make", "COFFEE_GATE__COMMAND:1: this is not YAML"),
        ("COFFEE_ROADMAP", "caf\udce9", "COFFEE_ROADMAP: this is not text"),
        ("COFFEE_TARGET", "", "COFFEE_TARGET: target must be the name of a branch"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(name: str, value: str, words: str) -> None:
    """A key of ours with a typing error, a wrong value or bad YAML stops with what to type."""
    assert words in refused("", {name: value})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tagret: x", ".coffee.yaml:1: unknown key tagret | did you mean target?"),
        ("poll: 5s\ngate:\n  setup: []\n  comand: [x]\n", ".coffee.yaml:4: unknown key gate.comand | did you mean"),
        ("agents: {fast: {comand: x}}", "unknown key agents.fast.comand | did you mean agents.fast.command?"),
        ("agent: {max_parallel: 3}", "unknown key agent.max_parallel | did you mean agent.max-parallel?"),
        ("gate: {<<: {jobs: 2}}", "unknown key gate.<<"),
        ('"a\\nb": 1', "unknown key a\\nb"),
        ("poll: 5s\npoll: 6s", ".coffee.yaml:2: poll is there twice"),
        ("gate: {jobs: 1, jobs: 1}", ".coffee.yaml:1: gate.jobs is there twice"),
        ("agents: {a: {}, a: {}}", ".coffee.yaml:1: agents.a is there twice"),
        ("? [a]\n: b", ".coffee.yaml:1: the file must be a mapping whose keys are words"),
        ("- target", ".coffee.yaml:1: the file must be a mapping of keys to values"),
        ("just words", ".coffee.yaml:1: the file must be a mapping of keys to values"),
        ("gate: [pytest]", ".coffee.yaml:1: gate must be a mapping of keys to values"),
        ("gate: !!set {command}", "gate must be a mapping of keys to values"),
        ("gate: {command: pytest -q}", "gate.command must be a list such as [make, test]"),
        ("gate: {command: [[pytest]]}", "gate.command must be a list"),
        ("gate: {command: [pytest, ~]}", "gate.command must be a list"),
        ('gate: {command: ["a\\0b"]}', "gate.command must be a list"),
        ('gate: {command: ["\\ud800"]}', "gate.command must be a list"),
        ("gate: {command: [!run x]}", "gate.command must be a list"),
        ("gate: {command: !!python/object/apply:os.system [x]}", "gate.command must be a list"),
        ("gate: {jobs: 0}", "gate.jobs must be a whole number from 1"),
        ("gate: {jobs: true}", "gate.jobs must be a whole number"),
        ("gate: {retries: -1}", "gate.retries must be a whole number"),
        ("gate: {retries: 1.0}", "gate.retries must be a whole number"),
        (f"gate: {{retries: {'9' * 5000}}}", "gate.retries must be a whole number"),
        ("merge: {batch: 0}", "merge.batch must be a whole number from 1, or auto"),
        ("merge: {batch: many}", "merge.batch must be a whole number from 1, or auto"),
        ("merge: {auto: auto}", "merge.auto must be true or false"),
        ("merge: {auto: 1}", "merge.auto must be true or false"),
        ("merge: {auto: !!bool perhaps}", "merge.auto must be true or false"),
        ("shared: 'true'", "shared must be true or false"),
        ("evaluate: {risk: 1.5}", "evaluate.risk must be a number from 0 to 1 or null"),
        ("evaluate: {risk: .nan}", "evaluate.risk must be a number from 0 to 1 or null"),
        ("ready: {signal: maybe}", "ready.signal must be managed or required or none"),
        ("target: a b", "target must be the name of a branch"),
        ("target: --all", "target must be the name of a branch"),
        ("target: null", "target must be the name of a branch"),
        ("target: 12", "target must be the name of a branch"),
        ("specs: ''", "specs must be text"),
        ("specs: [a]", "specs must be text"),
        ("poll: -1", "poll must be a duration such as 30s, 45m or 2h"),
        ("poll: .inf", "poll must be a duration"),
        ("poll: 1e400s", "poll must be a duration"),
        (f"poll: {'9' * 400}", "poll must be a duration"),
        ("poll: 2024-13-45", "poll must be a duration"),
        ("poll: 1:30", "poll must be a duration"),
        ("poll: 2 weeks", "poll must be a duration"),
        ("poll: {}", "poll must be a duration"),
        ("poll: &a [*a]", "poll must be a duration"),
        ("gate: {command: [a", "this is not YAML"),
        ("a: b: c", ".coffee.yaml:1: this is not YAML"),
        ("poll: *nowhere", ".coffee.yaml:1: this is not YAML"),
        ("--- 1\n--- 2\n", "this is not YAML: but found another document"),
        ("\tpoll: 1", "this is not YAML"),
        (b"target: caf\xe9x", ".coffee.yaml: this is not text: invalid continuation byte | save it as UTF-8"),
        (b"\x00", ".coffee.yaml: this is not text"),
        (b"\xff\xfea", ".coffee.yaml: this is not text"),
        ("[" * 1_000, ".coffee.yaml: this is nested too deeply"),
        ("#" * (LONGEST_FILE + 1), ".coffee.yaml is too large"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_mistake_in_the_file_has_its_line(text: str | bytes, words: str) -> None:
    """Wrong keys, kinds, ranges, tags and bytes are refused in one line that says where and what instead."""
    assert words in refused(text)


def test_aliases_share_and_explode_nothing() -> None:
    """Two agents may share a list; a file that would unfold to a billion items is refused at once."""
    assert parsed("agents: {a: &x {command: [y]}, b: *x}").agents["b"] == Agent(("y",))
    unfolded = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "unknown key a" in refused("a: &a [x]\n" + "".join(unfolded))
    nested = "&a [x]"
    for name in "bcdefgh":
        nested = f"&{name} [{nested}, *{chr(ord(name) - 1)}, *{chr(ord(name) - 1)}]"
    assert "gate.command must be a list" in refused(f"gate: {{command: {nested}}}")
    assert "gate.command must be a list" in refused("gate: {command: &a [*a]}")
    assert "unknown key agents.x.x" in refused("agents: &a {x: *a}")


def test_line_ends_and_marks_of_other_systems() -> None:
    """CRLF, a byte order mark, UTF-16 and comments are read as the same file."""
    for data in (
        EVERYTHING.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + EVERYTHING.encode(),
        EVERYTHING.encode("utf-16"),
        EVERYTHING.replace("5s\n", "5s # often\n").encode(),
    ):
        assert parsed(data) == MEANT


def test_text_of_other_languages_is_kept() -> None:
    """Paths and names need not be English."""
    assert parsed("specs: dokumente/größe ☕\ntarget: straße").specs == "dokumente/größe ☕"


FRAGMENTS = [
    "target", "gate", "agents", "command", "merge", "poll", "evaluate", "risk", ": ", "{", "}", "[", "]", ", ", "\n",
    "  ", "2001-99-99",
    "- ", "&a ", "*a", "!!int ", "!!float ", "!!bool ", "!!timestamp ", "!!binary ", "!!omap ", "!x ", "? ", "| ", "> ",
    "'", '"', "\\", "#", "---\n", "...\n", "%YAML 9.9\n", "%TAG ! x\n", "<<", "~", ".nan", "1e9", "0x1", "1:2",
]  # fmt: skip
ANYTHING = st.one_of(
    st.binary(max_size=80), st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(lambda p: "".join(p).encode())
)


@given(ANYTHING)
@example(b"poll: !!float ''")
@example(b"poll: !!int ''")
@example(b"%YAML 9.9\n--- {}")
def test_any_bytes_are_a_configuration_or_a_usage_error(data: bytes) -> None:
    """Whatever the file holds, it is read or refused; it never looks like our bug."""
    _either(lambda: parse_config(data, {}))


@given(st.sampled_from(["COFFEE_POLL", "COFFEE_AGENTS", "COFFEE_GATE__COMMAND", "COFFEE_AGENTS__X"]), ANYTHING)
def test_any_variable_is_a_configuration_or_a_usage_error(name: str, data: bytes) -> None:
    """The same holds for a value of the environment."""
    _either(lambda: parse_config(b"", {name: data.decode("utf-8", "surrogateescape")}))


@given(st.text("_ABCGATEX", max_size=12), st.text(max_size=5))
def test_any_name_is_a_configuration_or_a_usage_error(name: str, value: str) -> None:
    """The same holds for the name of a variable."""
    _either(lambda: parse_config(b"", {"COFFEE_" + name: value}))


def _either(read: Callable[[], Config]) -> None:
    try:
        assert isinstance(read(), Config)
    except UsageError as error:
        assert error.what.isprintable() and error.hint


def test_durations() -> None:
    """Units, plain seconds and nothing else."""
    good = {"30s": 30, "45m": 2700, "2h": 7200, "1d": 86400, "0": 0, "1.5h": 5400, " 5 s ": 5, "366d": 366 * 86400}
    assert {text: parse_duration(text) for text in good} == good
    bad = ["", "s", "-1", "1w", "1m30s", "367d", "9" * 400, "1e3", "nan", "inf", "0x1", "1_0"]
    assert [parse_duration(text) for text in bad] == [None] * len(bad)
