# shellcheck shell=sh
# Dom0's part: the toolstack, the checks one by one, and the guests that they ask for.

run_dom0() {
    start_toolstack >/tmp/toolstack.log 2>&1
    if grep -qw lab.shell /proc/cmdline; then
        setsid cttyhack sh
        return
    fi
    for file in /checks/*.sh; do run_check_file "$file"; done
}

start_toolstack() {
    mkdir -p /var/lib/xen /var/run/xen /var/log/xen /run/xen /etc/xen
    touch /etc/xen/xl.conf
    store_start "$(sed -n 's/.*lab\.store=\([^ ]*\).*/\1/p' /proc/cmdline)"
}

# In a process of its own, so that files share no names; what it leaves behind is ended here.
run_check_file() {
    : >/tmp/reported
    check_file=$1
    # shellcheck disable=SC1090
    (. "$check_file" && dom0)
    sed -n 's/^# expect: //p' "$check_file" | while read -r name; do
        cut -d "|" -f 2 /tmp/reported | grep -qxF "$name" || report FAIL "$name" "never reported"
    done
    killall -9 xen-block xen-lab-agent 2>/dev/null
    xl destroy lab 2>/dev/null
}

send() {
    echo "$1" >>/tmp/reported
    printf 'lab|%s\n' "$1" >/dev/ttyS1
}

# guest_start: boots a guest that runs `guest` of the same file of checks; $guest is its number.
# A check file has one guest at a time.
guest_start() {
    cat >/tmp/guest.cfg <<CONFIGURATION
name = "lab"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initramfs"
memory = 256
vcpus = 1
extra = "console=hvc0 rdinit=/init panic=-1 lab.check=$check_file"
on_poweroff = "preserve"
on_reboot = "preserve"
on_crash = "preserve"
CONFIGURATION
    rm -f /tmp/guest-lab.log
    timeout 60 xl create /tmp/guest.cfg >/tmp/create.log 2>&1 || {
        report note "" "xl create failed"
        show /tmp/create.log 10
        return 1
    }
    guest=$(xl domid lab)
}

# guest_finish SECONDS: passes the guest's reports on until it says that it is done. A guest that goes silent
# or dies has its console shown; the reports that it owes then count as failed.
guest_finish() {
    finish_deadline=$(($(date +%s) + $1))
    next=1
    while :; do
        # Before the reading: what a guest said last is there when it has died.
        guest_runs && runs=yes || runs=no
        if line=$(guest_value "report/$next"); then
            next=$((next + 1))
            [ "$line" != end ] || return 0
            send "$line"
        elif [ "$runs" = no ]; then
            report note "" "the guest has stopped; its console's last lines:"
            break
        elif [ "$(date +%s)" -ge "$finish_deadline" ]; then
            report note "" "the guest is not done after $1 s; its console's last lines:"
            break
        else
            sleep 0.2
        fi
    done
    show /tmp/guest-lab.log 40
    return 1
}

# The fifth column of xl list has an s for a guest that shut down, a c for one that crashed.
guest_runs() {
    xl list lab 2>/dev/null | awk 'NR == 2 { state = $5 } END { exit state == "" || state ~ /[sc]/ }'
}

# guest_value KEY: what the guest told us by `tell`; fails until it has.
guest_value() {
    xenstore-read "/local/domain/$guest/data/lab/$1" 2>/dev/null
}
