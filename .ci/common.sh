# What the scripts beside it share. Sourced, not run: it goes to the package's root and defines functions.

set -euo pipefail
exec </dev/null
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
work="$root/.build/ci"
mkdir -p "$work"

# The compiler keeps caches in the home folder; a user without one gets it here.
if [[ ! -w ~ ]]; then
    export HOME="$work/home"
    mkdir -p "$HOME"
fi

fail() {
    echo "error: $*" >&2
    exit 1
}

# need <command> <apt package>: installs the package if the command is missing.
need() {
    command -v "$1" >/dev/null && return
    command -v apt-get >/dev/null || fail "'$1' is missing, and there is no apt-get to install package '$2' with"
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "'$1' is missing: install package '$2' (not root, and there is no sudo)"
        as_root=(sudo --non-interactive)
    fi
    echo "installing $2 for '$1'"
    local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -qq -y --no-install-recommends "$2")
    "${install[@]}" || { "${as_root[@]}" apt-get update -qq && "${install[@]}"; }
}

# What the scripts use beside bash and coreutils.
need_tools() {
    command -v swift >/dev/null || fail "no 'swift' on the PATH: install the Swift toolchain, version 6.3 or later"
    need git git
    need find findutils
    need grep grep
    need sed sed
    need diff diffutils
}

# inspect <arguments>...: runs inspect.swift, compiled when it has changed.
inspect() {
    if [[ ! "$work/inspect" -nt .ci/inspect.swift ]]; then
        swiftc -swift-version 6 -warnings-as-errors -o "$work/inspect" .ci/inspect.swift
    fi
    "$work/inspect" "$@"
}

# Prints "<name> <path>" for every module that is a library product, each after those it depends on.
modules() {
    swift package describe --type json >"$work/describe.json"
    inspect modules <"$work/describe.json"
}

# Writes the public symbol graphs of all modules, and sets `graphs` to the folder that holds them.
dump_symbol_graphs() {
    rm -rf .build/*/symbolgraph
    swift package dump-symbol-graph --skip-synthesized-members --emit-extension-block-symbols | tee "$work/dump.log"
    graphs="$(sed -n 's/^Files written to //p' "$work/dump.log")"
    [[ -d "$graphs" ]] || fail "swift package dump-symbol-graph did not say where it wrote"
}

# graphs_of <module>: prints its own symbol graph and those of its extensions of other modules' types.
graphs_of() {
    find "$graphs" \( -name "$1.symbols.json" -o -name "$1@*.symbols.json" \) | LC_ALL=C sort
}
