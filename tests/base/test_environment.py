"""What is forgotten at entry and what children get."""

from __future__ import annotations

import pytest

from coffee_hooks.base.environment import for_children, scrub

STRIPPED = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITHUB_PAT",
    "GITLAB_TOKEN",
    "GITLAB_PRIVATE_TOKEN",
    "GL_TOKEN",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V2",
    "CI_BUILD_TOKEN",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
    "CI_REPOSITORY_URL",
    "GITEA_TOKEN",
    "FORGEJO_TOKEN",
    "BITBUCKET_TOKEN",
    "BITBUCKET_APP_PASSWORD",
    "AZURE_DEVOPS_EXT_PAT",
    "SYSTEM_ACCESSTOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "RELEASE_GITHUB_TOKEN",
    "github_token",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_0",
    "GIT_CONFIG_VALUE_0",
    "COFFEE_TARGET",
    "COFFEE_TASK_ID",
    "COFFEE_SHOP",
]

PASSED_ON = [
    "PATH",
    "HOME",
    "LANG",
    "MY_TOKENIZER_PATH",
    "TOKENIZERS_PARALLELISM",
    "GITHUB_PATH",
    "GITHUB_WORKSPACE",
    "GITHUB_ACTIONS",
    "GH_HOST",
    "CI",
    "CI_JOB_ID",
    "ACTIONS_CACHE_URL",
    "NPM_TOKEN",
    "OPENAI_API_KEY",
    "SSH_AUTH_SOCK",
    "GITHUB_TOKENIZER",
    "PATIENT_GITHUB_PATTERN",
    "GIT_AUTHOR_NAME",
    "GIT_SSH_COMMAND",
    "HIGH_TOKEN",
    "LIGHT_PASSWORD",
    "VIRTUAL_ENV",
    "COFFEEMAKER",
]


@pytest.mark.parametrize("name", STRIPPED)
def test_a_forge_token_stays_here_unless_it_is_named(name: str) -> None:
    """An agent or a gate cannot push in our name; one that must is given the variable by name."""
    environ = {name: "secret", "PATH": "/bin"}
    assert for_children({}, environ=environ) == {"PATH": "/bin"}
    assert for_children({}, [name], environ=environ) == environ


@pytest.mark.parametrize("name", PASSED_ON)
def test_what_is_no_forge_token_is_passed_on(name: str) -> None:
    """The words must be whole: a tokenizer's path and the keys of the agent's own service reach it."""
    assert for_children({}, environ={name: "x"}) == {name: "x"}


def test_what_is_added_wins() -> None:
    """The variables of this task replace inherited ones."""
    environ = {"COFFEE_TASK_ID": "US-1", "PWD": "/old"}
    assert for_children({"COFFEE_TASK_ID": "US-2", "PWD": "/new"}, environ=environ) == {
        "COFFEE_TASK_ID": "US-2",
        "PWD": "/new",
    }


def test_what_scrub_adds_for_us_is_not_passed_on() -> None:
    """An agent at a terminal of its own may be asked for a password, and uses its own GitPython as it likes."""
    environ = {"PATH": "/bin"}
    scrub(environ)
    assert environ == {"PATH": "/bin", "GIT_PYTHON_REFRESH": "quiet", "GIT_TERMINAL_PROMPT": "0"}
    assert for_children({}, environ=environ) == {"PATH": "/bin"}


def test_scrub_forgets_another_repository_and_keeps_how_to_reach_a_remote() -> None:
    """State of a hook goes; credentials, identity, the user's configuration and where git stops searching stay."""
    gone = [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_CONFIG",
        "GIT_CONFIG_PARAMETERS",
        "GIT_REFLOG_ACTION",
        "GIT_EDITOR",
        "GIT_PAGER",
        "GIT_EXTERNAL_DIFF",
        "GIT_TRACE",
        "GIT_LITERAL_PATHSPECS",
        "GIT_QUARANTINE_PATH",
        "GIT_ATTR_SOURCE",
        "GIT_SHALLOW_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_DEFAULT_HASH",
        "GIT_PYTHON_GIT_EXECUTABLE",
    ]
    kept = [
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_KEY_0",
        "GIT_CONFIG_VALUE_12",
        "GIT_HTTP_LOW_SPEED_LIMIT",
        "GIT_SSL_CAINFO",
        "GIT_EXEC_PATH",
        "GIT_ALLOW_PROTOCOL",
        "GIT_CEILING_DIRECTORIES",
        "GITHUB_TOKEN",
        "PATH",
    ]
    environ = dict.fromkeys([*gone, *kept, "GIT_TERMINAL_PROMPT"], "1")
    scrub(environ)
    assert environ.keys() == {*kept, "GIT_TERMINAL_PROMPT", "GIT_PYTHON_REFRESH"}
    assert environ["GIT_TERMINAL_PROMPT"] == "1"
