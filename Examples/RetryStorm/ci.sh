#!/usr/bin/env bash
# The example's table is the one of its README, its picture the one beside it; and the clear refusals. From the package
# root.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

swift build -c release --product retry-storm
program="$(swift build -c release --show-bin-path)/retry-storm"
here=Examples/RetryStorm

"$program" --svg "$work/load.svg" | tee "$work/table"
[[ "$(<"$here/README.md")" == *"$(<"$work/table")"* ]] || { echo "the README has another table"; exit 1; }
cmp "$work/load.svg" "$here/load.svg"

# One line on standard error, and an exit code that is not 0.
refuses() {
    local expected=$1 status=0
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" || status=$?
    cat "$work/err"
    [[ $status -ne 0 && $(grep -c '' "$work/err") -eq 1 ]] || { echo "not refused in one line: $*"; exit 1; }
    grep -qF -- "$expected" "$work/err" || { echo "expected: $expected"; exit 1; }
}
refuses 'unknown argument --storm' --storm
refuses '--clients needs a number from 1000 to 100000' --clients 7
refuses '--svg needs a path' --svg
refuses 'cannot write' --clients 1000 --svg "$work/missing/load.svg"
