# shellcheck shell=bash
# The project's programs that run inside the lab, built so that they need no Swift there.

programs=(xen-lab-agent xen-block xs)

# Afterwards the programs are in $programs_folder.
build_programs() {
    local build=(swift build --package-path "$project" --scratch-path "$project/.build/lab"
        -c release -Xswiftc -static-stdlib) program
    for program in "${programs[@]}"; do
        say "building $program"
        "${build[@]}" --product "$program" >"$work/build.log" 2>&1 || {
            tail -n 60 "$work/build.log" >&2
            fail "$program does not build"
        }
    done
    programs_folder=$("${build[@]}" --show-bin-path)
}
