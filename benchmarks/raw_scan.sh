#!/bin/sh
# The least that git needs to list ready branches: raw_scan.sh TARGET, in a repository with roadmap-* branches.
# One for-each-ref, one rev-list for the commits ahead, one merge-tree for all merges; nobody reads the answers.
set -eu
target=$(git rev-parse --verify --quiet "$1^{commit}")
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT
git for-each-ref --format='%(objectname) %(refname) %(contents:subject)' 'refs/heads/roadmap-*' >"$answers/branches"
cut -d' ' -f1 "$answers/branches" >"$answers/tips"
{ cat "$answers/tips"; echo "^$target"; } | git rev-list --parents --stdin >"$answers/ahead"
sed "s/^/$target /" "$answers/tips" |
    git merge-tree --write-tree --stdin --name-only --no-messages >"$answers/merges"
