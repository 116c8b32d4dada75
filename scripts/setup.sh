#!/bin/sh
# Makes .venv with everything Studio and its tests need; does nothing when that stands already.
# PYTHON=… chooses the interpreter. What is missing on the machine is named, with the command that installs it.
set -eu

cd "$(dirname "$0")/.."
ROOT=$(pwd)
VENV=.venv
STAMP=$VENV/.studio-setup
LOG=$VENV/setup.log
NEEDED_KB=2000000 # what the packages unpack to, pip's downloads, and room for the embedded database
NEWEST="python3.14 python3.13 python3.12 python3.11"

say() { printf 'setup: %s\n' "$*"; }

# stop "what is wrong" "what to do"
stop() {
    printf 'setup: %s\n' "$1" >&2
    printf '       %s\n' "$2" >&2
    exit 1
}

# What the environment was made of; the folder counts, because scripts in it carry the path.
wanted() { cksum requirements.txt pyproject.toml scripts/setup.sh; printf '%s\n' "$ROOT"; }

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# Whether the environment that is there can be kept: made here, recent, and of the Python that was asked for.
is_usable() {
    is_recent "$VENV/bin/python" && grep -qF "$ROOT/$VENV" "$VENV/bin/activate" &&
        { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -V 2>&1)" = "$("$VENV/bin/python" -V 2>&1)" ]; }
}

stands() { [ -f "$STAMP" ] && [ "$(wanted)" = "$(cat "$STAMP")" ] && is_usable 2>/dev/null; }

# How to get root's rights in the commands we name.
as_root() { if [ "$(id -u)" -eq 0 ]; then printf '%s' "$*"; else printf 'sudo %s' "$*"; fi; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_recent "$PYTHON" || stop "PYTHON=$PYTHON is not a CPython of version 3.11 or newer." \
            "Name another one, as in: make run PYTHON=/usr/bin/python3.11"
        return
    fi
    for PYTHON in python3 $NEWEST; do
        if is_recent "$PYTHON"; then return; fi
    done
    found=$(python3 -V 2>/dev/null || printf 'no Python 3')
    stop "Studio needs CPython 3.11 or newer; this machine has $found." \
        "Debian 12: $(as_root apt-get install python3 python3-venv); or name one: make run PYTHON=/path/to/python3.11"
}

check_disk() {
    free=$(df -Pk . | awk 'NR == 2 { print $4 }')
    case $free in '' | *[!0-9]*) return ;; esac
    [ "$free" -ge "$NEEDED_KB" ] || stop "Only $((free / 1000)) MB are free on the disk that holds $ROOT; setting up takes 2 GB." \
        "Free some there, or put the checkout on another disk."
}

# With Debian's python3-venv, or without it through the machine's own pip.
make_environment() {
    "$PYTHON" -c 'import venv' 2>/dev/null || stop "This Python cannot make virtual environments: its module venv is missing." \
        "Debian: $(as_root apt-get install python3-venv)"
    rm -rf "$VENV"
    if "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
        "$PYTHON" -m venv "$VENV" && return
    elif "$PYTHON" -m pip --version >/dev/null 2>&1; then
        "$PYTHON" -m venv --without-pip "$VENV" && return
    else
        version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        stop "This Python $version has neither pip nor the parts to make one (ensurepip)." \
            "Debian 12: $(as_root apt-get install python3-venv) (for another version than the default: python$version-venv)"
    fi
    stop "The virtual environment could not be made in $ROOT/$VENV." "See the message above; the folder must be writable."
}

pip_install() {
    if "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
        "$VENV/bin/python" -m pip --disable-pip-version-check install --no-input "$@"
    else
        "$PYTHON" -m pip --disable-pip-version-check --python "$VENV/bin/python" install --no-input "$@"
    fi
}

# Runs a pip command; its words go to the log, a count of packages to the screen.
install_quietly() {
    total=$1
    shift
    rm -f "$VENV/.failed"
    { pip_install "$@" 2>&1 || : >"$VENV/.failed"; } | {
        count=0
        while IFS= read -r line; do
            printf '%s\n' "$line" >>"$LOG"
            case $line in Collecting* | Processing*)
                count=$((count + 1))
                [ $((count % 25)) -ne 0 ] || say "      $count of some $total packages are here"
                ;;
            esac
        done
    }
    [ ! -e "$VENV/.failed" ] || explain
}

explain() {
    tail -n 15 "$LOG" >&2
    if grep -qi 'No space left' "$LOG"; then
        stop "The disk is full." "Free 2 GB, then repeat the command."
    elif grep -qiE 'HASHES|hashes are required' "$LOG"; then
        stop "A package is not the one that requirements.txt pins by its hash." \
            "Repeat the command; if it stays so, the package index in use serves other files than were locked."
    elif grep -qiE 'ConnectionError|Temporary failure|Network is unreachable|timed out|ConnectTimeout' "$LOG"; then
        stop "The package index cannot be reached." \
            "Check the network; behind a mirror or proxy set PIP_INDEX_URL or HTTPS_PROXY, then repeat the command."
    elif grep -qiE 'No matching distribution|Could not find a version' "$LOG"; then
        stop "There is no ready-made package for this machine ($(uname -sm), $("$VENV/bin/python" -V))." \
            "Studio is made for Linux with glibc 2.28 or newer on x86_64 and aarch64, CPython 3.11 to 3.13."
    fi
    stop "pip could not install the packages; its last words are above, all of them in $ROOT/$LOG." \
        "Mend what they name, then repeat the command."
}

if stands; then exit 0; fi
if is_usable 2>/dev/null; then
    PYTHON=${PYTHON:-$VENV/bin/python}
    say "[1/3] keeping $VENV with $("$PYTHON" -V)"
else
    choose_python
    check_disk
    say "[1/3] making $VENV with $("$PYTHON" -V)"
    make_environment
fi
rm -f "$STAMP"
: >"$LOG"
total=$(grep -c '^[A-Za-z0-9._-]*==' requirements.txt)
say "[2/3] installing some $total packages, each checked by its hash; this takes a minute or two"
install_quietly "$total" --require-hashes --no-deps --only-binary :all: -r requirements.txt
say "[3/3] installing Studio itself"
install_quietly 1 --no-deps --no-build-isolation --no-index -e .
wanted >"$STAMP"
say "done: $VENV/bin/studio"
