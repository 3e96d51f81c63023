#!/usr/bin/env bash
# A short run of the example, in both worlds, and its clear refusals. From the package root.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checkout() { swift run -c release --skip-build checkout "$@"; }

swift build -c release --product checkout
checkout provider-check
checkout generate-orders | cmp - Examples/Checkout/orders.jsonl

# The program itself ends with an error if a count that must be 0 is not.
checkout --crashes 10 2>"$work/progress"
checkout --crashes 5 --honour-keys false --seed 2 2>"$work/progress"
head -n 200 Examples/Checkout/orders.jsonl | checkout - --directory "$work/kept" 2>"$work/progress" | tee "$work/first"
head -n 200 Examples/Checkout/orders.jsonl | checkout - --directory "$work/kept" 2>"$work/progress" >"$work/second"
diff <(grep -v 'retried' "$work/first") <(grep -v 'retried' "$work/second")

# One line on standard error, and an exit code that is not 0.
refuses() {
    local expected=$1 status=0
    shift
    checkout "$@" >"$work/out" 2>"$work/err" || status=$?
    cat "$work/err"
    [[ $status -ne 0 ]] || { echo "not refused: checkout $*"; exit 1; }
    [[ $(grep -c '' "$work/err") -eq 1 ]] || { echo "not one line"; exit 1; }
    grep -qF "$expected" "$work/err" || { echo "expected: $expected"; exit 1; }
}
refuses 'No such file or directory' "$work/missing.jsonl"
refuses 'No such file or directory' --directory "$work/missing/directory"
refuses 'unknown option' --crash 5
