# shellcheck shell=bash
# The machine that Xen boots on: QEMU, with two serial ports. The first is the console of Xen and dom0; the
# second carries the reports of Lab/inside, so that no kernel message can get between them.

machine_seconds=1800
machine_pid=

# qemu_command ARGUMENT: fills $qemu; ARGUMENT goes to dom0's kernel, for Lab/inside to see.
# Emulated throughout: it needs nothing of the machine that it runs on, and Xen is the same everywhere.
qemu_command() {
    # shellcheck disable=SC2054
    qemu=(qemu-system-x86_64 -accel tcg,thread=multi -cpu qemu64,+rdtscp -smp 2 -m 2048
        -display none -no-reboot -net none
        -kernel "$xen_image"
        -append "console=com1 com1=115200 dom0_mem=1024M,max:1024M dom0_max_vcpus=1 noreboot loglvl=warning"
        -initrd "$kernel_image console=hvc0 rdinit=/init quiet panic=-1 $1,$initramfs")
}

# Afterwards $machine_pid runs, until it powers off or its time is up; $report and $console grow.
start_machine() {
    report=$work/report console=$work/console
    : >"$report"
    : >"$console"
    qemu_command "lab.store=$store"
    say "booting Xen (log of the console: $console)"
    timeout --kill-after=5 "$machine_seconds" "${qemu[@]}" \
        -monitor none -serial "file:$console" -serial "file:$report" </dev/null >"$work/qemu.log" 2>&1 &
    machine_pid=$!
}

stop_machine() {
    [ -z "$machine_pid" ] || kill "$machine_pid" 2>/dev/null || true
}

open_shell() {
    qemu_command "lab.store=$store lab.shell"
    say "a shell in dom0 follows; leave it with exit, or kill the machine with Ctrl-A X"
    "${qemu[@]}" -serial mon:stdio -serial null
}
