# shellcheck shell=sh
# What the hypervisor itself says that dom0 and other domains hold.

# Prints dom0's ports with their peers, what is granted and mapped, and which domains there are, one a line.
# A domain that somebody holds a page of is there even when it was destroyed.
hypervisor_state() {
    xl dmesg -c >/dev/null
    xl debug-keys e
    xl debug-keys g
    wait_for 10 hypervisor_has_told || return
    # Whether a port has just rung is of no interest.
    sed -n 's/^(XEN) *//p' /tmp/told | sed 's/\[.\/.\/[^]]*\]: //' |
        grep -E '^([0-9]+ s=|\[0x|Event channel information|grant-table for)'
}

hypervisor_has_told() {
    xl dmesg >/tmp/told
    grep -q 'gnttab_usage_print_all \] done' /tmp/told
}

# hypervisor_is_as FILE: as FILE has it.
hypervisor_is_as() {
    hypervisor_state >/tmp/state-now
    cmp -s "$1" /tmp/state-now
}
