"""What ``coffee-hook --help`` says."""

USAGE = """\
usage: coffee-hook [-C PATH] COMMAND [OPTIONS]

rules, for git hooks, the pre-commit framework, servers and CI
  cfr-013 [--target NAME] [--stage STAGE]
        Refuse work outside the target (default: roadmap) and roadmap-NAME. STAGE is pre-commit,
        pre-merge-commit or manual (judge HEAD), or pre-push (judge the refs that git lists on standard
        input). Without it: what the framework's variables say, then HEAD.
  cfr-009 FILE...
        Find calls of create_notification that may make a sound for anyone but user_listener.
  roadmap-lint [FILE...]
        Refuse problems of the staged roadmap that HEAD does not have; the others are warnings.
  pre-receive [--target NAME]
        cfr-013 on a server: judge the refs that git lists on standard input.

native hooks, for every worktree of the repository
  install [--strict] [--target NAME]
        Write pre-commit, pre-merge-commit and pre-push; hooks that are there already run after them.
        --strict: a reference-transaction hook as well, which sees every local branch that is made or moved.
  uninstall
        Remove them and restore what was there before.

options
  -C PATH     run as if started in PATH
  --version   print the version
  -h, --help  print this text

exit codes: 0 fine, 1 a rule is broken, 2 wrong usage, 4 the environment failed, 130 interrupted

examples
  coffee-hook install --strict
  coffee-hook cfr-013 --target main
  coffee-hook cfr-013 --stage pre-push "$@"          as .git/hooks/pre-push
  exec coffee-hook pre-receive                       as hooks/pre-receive of a bare repository
  git ls-files -z '*.py' | xargs -0 coffee-hook cfr-009
"""
