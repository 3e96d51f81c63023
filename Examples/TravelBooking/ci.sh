#!/usr/bin/env bash
# Two runs of the example, one with everybody killed again and again and one killed as a whole; the table is that of the
# README, and so is the diagram; and the clear refusals. From the package root.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

swift build -c release --product travel-booking
program="$(swift build -c release --show-bin-path)/travel-booking"

# Who is killed when makes no difference to any other number.
table() { sed -n '/^trips /,/^booked twice/p' "$1" | grep -v -e '^bookings cancelled before they came' -e 'was killed'; }

"$program" "$work/run" --crashes 5 2>"$work/kills" | tee "$work/out"
[[ $(grep -c 'coordinator was killed' "$work/kills") -ge 3 && $(grep -c 'was killed' "$work/kills") -ge 12 ]] ||
    { echo "hardly killed: $(cat "$work/kills")"; exit 1; }
table "$work/out" >"$work/table"
diff <(table Examples/TravelBooking/README.md) "$work/table"
[[ "$(<Examples/TravelBooking/README.md)" == *'```mermaid'$'\n'"$("$program" diagram)"$'\n''```'* ]] ||
    { echo "the README has another diagram"; exit 1; }
"$program" trips "$work/run" >"$work/trips"
[[ $(grep -c '' "$work/trips") -eq 200 ]] || { echo "other trips: $(cat "$work/trips")"; exit 1; }
"$program" timeline "$work/run" trip-7 | tail -n 1 | grep -E 'completed|compensated'

# Killed as a whole; what it has started ends by itself, and another run goes on.
"$program" "$work/killed" &
run=$!
for ((try = 0; try < 600; try++)); do
    if [[ -n $(ls -A "$work/killed/sagas" 2>/dev/null) ]]; then break; fi
    sleep 0.05
done
sleep 0.2
kill -9 "$run"
wait "$run" || true
for ((try = 0; try < 100; try++)); do
    if "$program" "$work/killed" >"$work/again" 2>"$work/err"; then break; fi
    # The children of the run before have not noticed yet.
    sleep 0.1
done
cat "$work/again"
diff <(table "$work/again") "$work/table"

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
refuses 'there is no trip-1000' timeline "$work/run" trip-1000
