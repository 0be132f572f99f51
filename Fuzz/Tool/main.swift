// Fuzzes the rings from the side of a hostile peer, with libFuzzer: `make fuzz`.

import CFuzzer
import RingFuzzing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One input. Only what the machine lacks is thrown; what must not happen traps.
private func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // Safe: libFuzzer's bytes live until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        try RingFuzzing.run(bytes)
    } catch {
        print(error)
        exit(1)
    }
    return 0
}

// Safe: the program's own command line.
let status = unsafe cfuzzer_run(CommandLine.argc, CommandLine.unsafeArgv, fuzz)
if status < 0 {
    print(
        "libFuzzer is not in this program: run `make fuzz`, which builds it with -sanitize=fuzzer")
}
exit(status < 0 ? 2 : status)
