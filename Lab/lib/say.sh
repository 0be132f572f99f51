# shellcheck shell=bash
# How the lab speaks to its user: progress on standard error, results on standard output.

say() { echo "lab: $*" >&2; }

fail() {
    say "$*"
    exit 1
}
