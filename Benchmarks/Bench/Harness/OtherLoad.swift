import Foundation

/// How much of the processors other programs take from now on: the kernel's account of all, less our own and our
/// children's.
struct OtherLoad {
    private let start = Reading()

    /// 1.0 is one processor all the time. Nil where the kernel does not tell, or the time was too short.
    func processorsTaken() -> Double? {
        guard let start, let end = Reading() else { return nil }
        let elapsed = start.time.duration(to: end.time) / .seconds(1)
        // The kernel counts in hundredths of a second.
        guard elapsed > 0.05 else { return nil }
        return max(0, (end.all - start.all) - (end.ours - start.ours)) / elapsed
    }

    /// Times in seconds.
    private struct Reading {
        let time = ContinuousClock.now
        let all: Double
        let ours: Double

        /// From /proc/stat, proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
        init?() {
            guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
                let line = text.split(separator: "\n").first
            else { return nil }
            let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
            guard ticks.count >= 8 else { return nil }
            all =
                (ticks[0...2].reduce(0, +) + ticks[5...7].reduce(0, +))
                / Double(sysconf(Int32(_SC_CLK_TCK)))
            ours =
                Self.seconds(RUSAGE_SELF.rawValue) + Self.seconds(RUSAGE_CHILDREN.rawValue)
                + Self.secondsOfLivingChildren()
        }

        /// From /proc/PID/stat, proc(5): behind the name, state and parent; user and system are the 12th and 13th.
        private static func secondsOfLivingChildren() -> Double {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return names.filter { Int32($0) != nil }.reduce(0) { sum, name in
                let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8)
                let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
                guard fields.count > 13, Int32(fields[1]) == getpid() else { return sum }
                let ticks = fields[11...12].compactMap { Double($0) }.reduce(0, +)
                return sum + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
            }
        }

        private static func seconds(_ who: Int32) -> Double {
            var usage = rusage()
            // Safe: the kernel fills this private structure.
            guard unsafe getrusage(who, &usage) == 0 else { return 0 }
            return [usage.ru_utime, usage.ru_stime].reduce(0) {
                $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
            }
        }
    }
}
