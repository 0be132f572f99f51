# shellcheck shell=sh
# The XenTesting suites for grants and event channels, on the real hypervisor.
# expect: dom0: grant and event channel suites
# expect: guest: grant and event channel suites

dom0() {
    check "dom0: grant and event channel suites" 90 xen-lab-agent suites --domain 0
    guest_start && guest_finish 120
}

guest() {
    check "guest: grant and event channel suites" 90 \
        xen-lab-agent suites --domain "$(xenstore-read domid)"
}
