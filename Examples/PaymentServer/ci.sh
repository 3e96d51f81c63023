#!/usr/bin/env bash
# A short run of the example: a payment and its duplicates, killed while it is under way, with both kinds of provider,
# and the clear refusals. From the package root.
set -euo pipefail

work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -9 "$server" || true; rm -rf "$work"' EXIT

swift build -c release --product payment-server
program="$(swift build -c release --show-bin-path)/payment-server"

fail() {
    echo "$*"
    exit 1
}

# start OPTION...: starts the server, and waits until it says where it listens.
start() {
    mkfifo "$work/line.$((++starts))"
    "$program" --directory "$work/data" "$@" >"$work/line.$starts" &
    server=$!
    read -r line <"$work/line.$starts"
    echo "$line"
    port=${line##*:}
}
starts=0

stop() {
    kill "-$1" "$server"
    local status=0
    wait "$server" || status=$?
    server=
    [[ $1 == KILL || $status -eq 0 ]] || fail "ended with $status"
}

# ask REQUEST-LINE KEY BODY: the whole response, its lines without carriage returns.
ask() {
    local key=
    [[ -z $2 ]] || key=$'Idempotency-Key: '"$2"$'\r\n'
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n%s' \
        "$1" "$key" "${#3}" "$3" >&3
    tr -d '\r' <&3
    echo
    exec 3<&-
}

# expect TEXT ARGUMENT...: asks, and the response contains the text.
expect() {
    local text=$1
    shift
    ask "$@" >"$work/response"
    grep -qF -- "$text" "$work/response" || fail "expected $text: $(cat "$work/response")"
    echo "$* -> $(head -n 1 "$work/response")"
}

charges() { grep -c '' "$work/data/ledger.jsonl" || true; }

# interrupt KEY CHARGES: sends a payment whose answer takes a minute, twice, until one of the two is told that the other
# is under way and there are so many charges in all; then kills.
interrupt() {
    ask "POST /payments" "$1" "$payment" >"$work/one" 2>/dev/null &
    local one=$!
    ask "POST /payments" "$1" "$payment" >"$work/two" 2>/dev/null &
    local two=$!
    wait -n "$one" "$two"
    grep -hF 'idempotency-in-flight' "$work/one" "$work/two" || fail "none was turned away"
    for ((try = 0; try < 600; try++)); do
        [[ $(charges) -ne $2 ]] || break
        sleep 0.1
    done
    stop KILL
    wait "$one" "$two" || true
}

ledger() {
    [[ $(charges) -eq $1 ]] || fail "charged $(charges) times, not $1"
    echo "charges: $1"
}

payment='{"account":"acme","amount":1999,"currency":"EUR"}'

start
expect '{"status":"ok"}' "GET /health" '' ''
expect 'HTTP/1.1 201' "POST /payments" k1 "$payment"
expect 'Idempotent-Replayed: true' "POST /payments" k1 "$payment"
expect 'HTTP/1.1 422' "POST /payments" k1 "${payment/1999/2999}"
expect 'HTTP/1.1 400' "POST /payments" '' "$payment"
stop TERM
ledger 1

start --delay 60000
interrupt k2 2
start
expect 'HTTP/1.1 201' "POST /payments" k2 "$payment"
expect 'Idempotent-Replayed: true' "POST /payments" k2 "$payment"
stop TERM
ledger 2

start --delay 60000 --forgetful-provider
interrupt k3 3
start --forgetful-provider
expect 'idempotency-outcome-unknown' "POST /payments" k3 "$payment"
expect '"key":"k3"' "GET /payments/unresolved" '' ''
stop TERM
ledger 3

# One line on standard error, and an exit code that is not 0.
refuses() {
    local expected=$1 status=0
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" || status=$?
    cat "$work/err"
    [[ $status -ne 0 ]] || fail "not refused: $*"
    [[ $(grep -c '' "$work/err") -eq 1 ]] || fail "not one line"
    grep -qF -- "$expected" "$work/err" || fail "expected: $expected"
}
refuses '--directory is required'
refuses 'unknown argument' --directory "$work/data" --ports 1
refuses 'No such file or directory' --directory "$work/missing/directory"
start
refuses 'Address already in use' --directory "$work/other" --port "$port"
refuses 'in use' --directory "$work/data"
stop TERM
