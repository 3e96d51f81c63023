#!/usr/bin/env bash
# Two runs of the example, one with its service killed again and again and one killed as a whole; the table is that of the
# README; and the clear refusals. From the package root.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

swift build -c release --product notifications
program="$(swift build -c release --show-bin-path)/notifications"

"$program" "$work/run" --crashes 5 | tee "$work/table"
[[ "$(<Examples/Notifications/README.md)" == *'```'$'\n'"$(<"$work/table")"$'\n''```'* ]] ||
    { echo "the README has another table"; exit 1; }
"$program" status "$work/run" >"$work/status"
[[ $(grep -c '' "$work/status") -eq 300 && $(grep -c 'unsendable' "$work/status") -eq 10 ]] ||
    { echo "another status table: $(cat "$work/status")"; exit 1; }

# Killed as a whole, with providers and service; what it has started ends by itself, and another run goes on.
"$program" "$work/killed" &
run=$!
for ((try = 0; try < 600; try++)); do
    if [[ -s "$work/killed/first.jsonl" ]]; then break; fi
    sleep 0.05
done
kill -9 "$run"
wait "$run" || true
for ((try = 0; try < 100; try++)); do
    if "$program" "$work/killed" >"$work/again" 2>"$work/err"; then break; fi
    # The children of the run before have not noticed yet.
    sleep 0.1
done
cat "$work/again"
diff "$work/again" <(sed -E 's/(was killed +)5/\10/' "$work/table")

# One line on standard error, and an exit code that is not 0.
refuses() {
    local expected=$1 status=0
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" || status=$?
    cat "$work/err"
    [[ $status -ne 0 && $(grep -c '' "$work/err") -eq 1 ]] || { echo "not refused in one line: $*"; exit 1; }
    grep -qF -- "$expected" "$work/err" || { echo "expected: $expected"; exit 1; }
}
refuses 'a directory is required'
refuses 'unknown argument --fast' "$work/run" --fast
refuses '--count needs a number' "$work/run" --count many
