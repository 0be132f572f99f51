# shellcheck shell=sh
# What a check may call in dom0 and in a guest alike. The role's file says where reports go: `send`.

# check NAME SECONDS COMMAND...: runs COMMAND (a program or a function) and reports how it went.
# The last line that it printed is the detail of the report; of a failure, up to forty before it are shown too.
check() {
    check_name=$1 check_seconds=$2
    shift 2
    ("$@") >/tmp/output 2>&1 </dev/null &
    job=$!
    (sleep "$check_seconds" && touch /tmp/late && kill_tree "$job") &
    watchdog=$!
    wait "$job" 2>/dev/null
    status=$?
    kill_tree "$watchdog"
    wait "$watchdog" 2>/dev/null
    if [ -e /tmp/late ]; then
        rm /tmp/late
        report FAIL "$check_name" "not done after $check_seconds s"
    elif [ "$status" -ne 0 ]; then
        report FAIL "$check_name" "status $status: $(tail -n 1 /tmp/output)"
    else
        report ok "$check_name" "$(tail -n 1 /tmp/output)"
        return
    fi
    sed '$d' /tmp/output >/tmp/before-last
    [ ! -s /tmp/before-last ] || show /tmp/before-last 40
}

# report ok|FAIL|note NAME DETAIL: one line to the host; see Lab/lib/report.sh.
report() {
    send "$1|$2|$(printf %s "$3" | tr '\t\n' '  ')"
}

# show FILE COUNT: the last lines of FILE, as notes to the host.
show() {
    while read -r line; do report note "" "$line"; done <<LINES
$(tail -n "$2" "$1")
LINES
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; fails if it does not in time.
wait_for() {
    wait_deadline=$(($(date +%s) + $1))
    wait_seconds=$1
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -ge "$wait_deadline" ]; then
            echo "still not so after $wait_seconds s: $*"
            return 1
        fi
        sleep 0.1
    done
}

# kill_tree PROCESS: it and all that it started.
kill_tree() {
    grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3 |
        while read -r child; do kill_tree "$child"; done
    kill -9 "$1" 2>/dev/null
}
