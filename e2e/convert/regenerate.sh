#!/bin/sh
# Writes answers.tsv anew and says in what our conversion differs. Needs cargo and npm; the command line is that of ../conformance.
set -eu
cd "$(dirname "$0")"
clients=$(cd ../conformance && pwd)
[ -d "$clients/node_modules" ] || (cd "$clients" && npm ci --no-audit --no-fund)
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cargo xtask generate repo --components 400 --seed 5 --out "$made/project"
cp -r extra/. "$made/project/"
node oracle.mjs "$clients" "$made"
SYNCLINE_CONVERT_ORACLE=$made cargo test -p syncline-engine --test org_proofs -- --nocapture convert
git --no-pager diff --stat -- answers.tsv
