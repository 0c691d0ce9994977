#!/usr/bin/env bash
# Back-promotes a branch to others and pushes what is done.
#   ci/back-promote.sh production uat integration developer
# Ends with 1 when conflicts wait for a person, with 2 when something failed.
set -euo pipefail

source=$1
shift

git fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*' '+refs/syncline/*:refs/syncline/*'
# No branch is checked out then, so all can be moved.
git checkout --quiet --detach "origin/$source"
for branch in "$source" "$@"; do
    git branch --quiet --force "$branch" "origin/$branch"
done

code=0
syncline back-promote --from "$source" --onto "$(IFS=,; echo "$*")" || code=$?

# A branch that somebody moved meanwhile is not pushed; the next run takes it.
git push --quiet origin "$@" || code=2
# Decisions are never overwritten. Bases and open conflicts are what this run found.
git push --quiet origin 'refs/syncline/resolutions*:refs/syncline/resolutions*' || code=2
git push --quiet --prune origin '+refs/syncline/base/*:refs/syncline/base/*' '+refs/syncline/conflicts/*:refs/syncline/conflicts/*' || code=2
exit "$code"
