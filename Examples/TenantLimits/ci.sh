#!/usr/bin/env bash
# The example's log, table and picture are those of its files, whichever way the log comes; and the clear refusals. From
# the package root.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

swift build -c release --product tenant-limits
program="$(swift build -c release --show-bin-path)/tenant-limits"
here=Examples/TenantLimits

"$program" --sample | cmp - "$here/access.log"
"$program" "$here/access.log" --show 203.0.113.77 --svg "$work/edges.svg" 2>"$work/notes" >"$work/table"
cat "$work/notes" "$work/table" | tee "$work/shown"
[[ "$(<"$here/README.md")" == *"$(<"$work/shown")"* ]] || { echo "the README has another table"; exit 1; }
cmp "$work/edges.svg" "$here/edges.svg"
# In pieces, as a pipe brings it.
while IFS= read -r line; do printf '%s\n' "$line"; done <"$here/access.log" |
    "$program" - --show 203.0.113.77 2>"$work/notes2" | cmp - "$work/table"
cmp "$work/notes" "$work/notes2"

# An exit code that is 2, and the last line on standard error says why; what is said of the log comes before.
refuses() {
    local expected=$1 status=0
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    tail -n 1 "$work/err"
    [[ $status -eq 2 ]] || { echo "not refused: $*"; exit 1; }
    tail -n 1 "$work/err" | grep -qF -- "$expected" || { echo "expected: $expected"; exit 1; }
}
refuses 'unknown option --logs' --logs
refuses '--per needs a time such as 90s or 5m' --per 60 -
refuses 'No such file or directory' "$work/missing.log"
refuses 'Is a directory' "$work"
refuses 'the log has no request' -
refuses 'the log has no request of nobody' "$here/access.log" --show nobody
refuses 'cannot write' "$here/access.log" --svg "$work/missing/edges.svg"
