import Synchronization
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Which seeds are being played: what to say when one of them crashes or hangs the program.
enum HistoriesInPlay {
    private final class Place: Sendable {
        let seed = Atomic<UInt64>(0)
        /// Seconds on the monotonic clock; 0 when nothing is played here.
        let start = Atomic<Int>(0)
    }

    private static let places = (0..<256).map { _ in Place() }

    /// The most threads that can play.
    static var threadLimit: Int { places.count }

    static func begin(_ seed: UInt64, on thread: Int) {
        places[thread].seed.store(seed, ordering: .relaxed)
        places[thread].start.store(seconds, ordering: .releasing)
    }

    static func end(on thread: Int) { places[thread].start.store(0, ordering: .releasing) }

    /// From now on a trap, and a history that takes more than a minute, end the program with the seeds in play.
    static func watch() throws {
        _ = places
        // The handler only reads atomics and writes to a stream, and the program ends.
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
            _ = signal(number) { number in
                HistoriesInPlay.report("crashed in one of")
                _ = signal(number, SIG_DFL)
                raise(number)
            }
        }
        _ = try PlatformThread {
            while (try? pause(.seconds(1))) != nil {
                guard places.contains(where: { isHung($0) }) else { continue }
                report("a history hangs, one of")
                exit(1)
            }
        }
    }

    private static func isHung(_ place: Place) -> Bool {
        let start = place.start.load(ordering: .acquiring)
        return start > 0 && seconds - start > 60
    }

    private static func report(_ what: String) {
        let seeds = places.filter { $0.start.load(ordering: .acquiring) > 0 }
            .map { "\($0.seed.load(ordering: .relaxed))" }
        Terminal.error.line("xen-sim: \(what): seed \(seeds.joined(separator: ", "))")
    }

    private static var seconds: Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec + 1
    }
}
