# shellcheck shell=bash
# Turns the reports of Lab/inside into lines for people, and holds them against what was expected.
# A report is a line 'lab|RESULT|NAME|DETAIL'; RESULT is ok, FAIL or note (more about the check before).

# Prints a line a check as it ends, last 'N passed, M failed'; fails if any did.
report_checks() {
    local mark result name detail ended passed=0 failed=0
    local -A seen=()
    while IFS='|' read -r mark result name detail; do
        [ "$mark" = lab ] || continue
        detail=${detail//[^[:print:]]/}
        case $result in
        ok) passed=$((passed + 1)) ;;
        FAIL) failed=$((failed + 1)) ;;
        note) printf '     | %s\n' "$detail" && continue ;;
        *) continue ;;
        esac
        seen[$name]=$result
        printf '%-4s %s%s\n' "$result" "$name" "${detail:+: $detail}"
    done < <(tail -n +1 -f --pid="$machine_pid" "$report")
    if wait "$machine_pid" 2>/dev/null; then
        ended="the machine powered off before"
    else
        ended="the machine was stopped before, with status $? (124: out of time)"
    fi
    machine_pid=

    local missing=0
    while read -r name; do
        [ -z "${seen[$name]:-}" ] || continue
        printf 'FAIL %s: not reported: %s\n' "$name" "$ended"
        missing=$((missing + 1))
    done < <(expected_checks)
    if [ "$missing" -gt 0 ]; then
        echo "     the console's last lines:"
        tail -n 25 "$console" | tr -cd '[:print:]\t\n' | sed 's/^/     | /'
        cat "$work/qemu.log" >&2
    fi
    echo "$passed passed, $((failed + missing)) failed"
    [ $((failed + missing)) -eq 0 ]
}

# Each file of checks says in its head which reports it owes.
expected_checks() {
    sed -n 's/^# expect: //p' "${checks[@]}"
}
