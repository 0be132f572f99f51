# shellcheck shell=sh disable=SC2154 # shared with dom0.sh and Lab/checks
# The daemon that is dom0's store: which of Debian's two it is, or our own; its death and its return.

store_pid_file=/var/run/xenstored.pid
store_socket=/var/run/xenstored/socket

# store_start xenstored|oxenstored|ours: starts that one, and what hangs on it.
store_start() {
    rm -f "$store_pid_file" "$store_socket"
    mkdir -p "${store_socket%/*}"
    case $1 in
    xenstored) xenstored --pid-file "$store_pid_file" ;;
    oxenstored) oxenstored --config-file /lib/oxenstored.conf ;;
    ours) xs serve --xen --socket "$store_socket" >>/tmp/xs.log 2>&1 & ;;
    esac
    # Not by asking it: without a socket, libxenstore asks by the kernel's device, and waits there for ever.
    wait_for 20 test -S "$store_socket"
    timeout 30 xen-init-dom0
    # Before the first guest: xl waits for a console, and destroys a guest that gets none.
    xenconsoled --log=guest --log-dir=/tmp
}

# The daemon dies, with all that it knew. Its socket's file stays, as after a crash.
store_kill() {
    killall -9 xenconsoled xenstored oxenstored xs 2>/dev/null
    wait_for 10 store_is_gone
}

# A daemon that nobody has waited for is a zombie by then.
store_is_gone() {
    ! grep -s '^State:[[:space:]]*[^Z[:space:]]' \
        $(grep -lsE '^Name:[[:space:]]*(o?xenstored|xs)$' /proc/[0-9]*/status) /dev/null
}
