#!/usr/bin/env bash
# Validates in an org what a change would bring to an environment, and leaves reports in the folder `reports`.
#   ci/validate.sh uat origin/uat          the login's name, the state that the org has
# Reads SYNCLINE_JWT_KEY_FILE, SYNCLINE_CLIENT_ID, SYNCLINE_USERNAME, SYNCLINE_INSTANCE and, if set, SYNCLINE_TEST_LEVEL.
# Ends with 0 when the change can be deployed, with 1 when components, tests or coverage failed, with 2 when something else did.
set -euo pipefail

org=$1
base=$2

syncline org login "$org" --jwt-key "$SYNCLINE_JWT_KEY_FILE" --client-id "$SYNCLINE_CLIENT_ID" \
    --username "$SYNCLINE_USERNAME" --instance "$SYNCLINE_INSTANCE"

mkdir -p reports
changed=0
syncline diff "$base" HEAD --package-xml reports/delta || changed=$?
[ "$changed" -ne 0 ] || { echo "nothing to deploy"; exit 0; }
[ "$changed" -eq 1 ] || exit "$changed"

# The package decides which files of the project are sent.
cp reports/delta/package.xml package.xml
deletions=()
for file in reports/delta/destructiveChanges*.xml; do
    [ ! -f "$file" ] || deletions=(--destructive "$file")
done
syncline org deploy "$org" . --check-only --tests "${SYNCLINE_TEST_LEVEL:-RunLocalTests}" "${deletions[@]}" \
    --junit reports/junit.xml --sarif reports/findings.sarif --markdown reports/summary.md
