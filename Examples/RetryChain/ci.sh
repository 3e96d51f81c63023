#!/usr/bin/env bash
# The example tells the story of its README, line by line; and the clear refusal. From the package root.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

swift build -c release --product retry-chain
program="$(swift build -c release --show-bin-path)/retry-chain"

"$program" | tee "$work/story"
[[ "$(<Examples/RetryChain/README.md)" == *'```'$'\n'"$(<"$work/story")"$'\n''```'* ]] ||
    { echo "the README tells another story"; exit 1; }

status=0
"$program" --fast >"$work/out" 2>"$work/err" || status=$?
cat "$work/err"
[[ $status -ne 0 && "$(<"$work/err")" == "retry-chain: unknown argument --fast" ]] || { echo "not refused"; exit 1; }
