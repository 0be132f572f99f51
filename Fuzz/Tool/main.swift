// Fuzzes one subject with libFuzzer: xen-fuzz SUBJECT [libFuzzer's OPTIONS] [CORPUS]. `make fuzz` runs all.

import CFuzzer
import FuzzSubjects
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Chosen before the first input comes.
private let subject = Mutex(FuzzSubject.rings)

/// One input. Only what the machine lacks is thrown; what must not happen traps.
private func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // Safe: libFuzzer's bytes live until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        try subject.withLock { $0 }.run(bytes)
    } catch {
        print(error)
        exit(1)
    }
    return 0
}

let name = CommandLine.arguments.dropFirst().first
if name == "--list" {
    for subject in FuzzSubject.allCases { print(subject.rawValue) }
    exit(0)
}
guard let chosen = name.flatMap(FuzzSubject.init) else {
    print("xen-fuzz: say what to fuzz; xen-fuzz --list tells what there is")
    exit(2)
}
subject.withLock { $0 = chosen }
// Safe: the program's own command line, in which the subject's place becomes the program's name.
let status = unsafe cfuzzer_run(CommandLine.argc - 1, CommandLine.unsafeArgv + 1, fuzz)
if status < 0 {
    print(
        "libFuzzer is not in this program: run `make fuzz`, which builds it with -sanitize=fuzzer")
}
exit(status < 0 ? 2 : status)
