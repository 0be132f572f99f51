import Foundation
import XenCore
import XenSystem

/// Runs one end of a case in this thread and `part` in another thread or process, each on a processor of its own
/// where there are two. The time is measured from when both are there.
///
/// - Parameter body: prepares what both share, calls `raise`, which returns when the other end is there, and does
///   this end's work; returns a sum over all that it read.
func play(
    opposite part: Part, in housing: Housing, _ count: UInt64, descriptors: [Int32] = [],
    body: (_ props: Props, _ raise: () throws -> Void) throws -> UInt64
) throws -> Outcome {
    let stage = try Stage(descriptors)
    let processors = Processors.ofThisThread()
    defer { processors?.take() }
    var (process, start): (pid_t?, ContinuousClock.Instant) = (nil, .now)
    let sum = try body(stage.props) {
        switch housing {
        case .threads: try playInThread(part, on: stage, count)
        case .processes: process = try spawnPlayer(of: part, on: stage, count)
        }
        stage.waitUntil(.ready)
        processors?.only(0).take()
        start = .now
    }
    let elapsed = start.duration(to: .now) / .nanoseconds(1)
    stage.waitUntil(.done)
    if let process { _ = waitpid(process, nil, 0) }
    return Outcome(sum: sum &+ stage.sum, amount: elapsed)
}

/// `xen-bench --play NAME COUNT DESCRIPTOR...`: what a process does that another one started for a case.
func playAsked(_ arguments: ArraySlice<String>, among parts: [Part]) throws {
    guard let part = parts.first(where: { $0.name == arguments.first }),
        let count = arguments.dropFirst().first.flatMap({ UInt64($0) }),
        let memory = arguments.dropFirst(2).first.flatMap({ Int32($0) })
    else { throw UsageError(description: "--play is for this program's own use") }
    let descriptors = arguments.dropFirst(3).compactMap { Int32($0) }
    try Stage(adopting: memory, descriptors).perform(part, count)
}

private func playInThread(_ part: Part, on stage: Stage, _ count: UInt64) throws {
    _ = try PlatformThread {
        do { try stage.perform(part, count) } catch { abandon(error) }
    }
}

/// The other end waits for what will not come any more.
private func abandon(_ error: any Error) -> Never {
    FileHandle.standardError.write(Data("xen-bench: the other end: \(error)\n".utf8))
    exit(1)
}

private func spawnPlayer(of part: Part, on stage: Stage, _ count: UInt64) throws -> pid_t {
    let inherited = [stage.descriptor] + stage.props.descriptors
    // Beyond all that are open here.
    let numbers = inherited.indices.map { Int32(200 + $0) }
    // Safe: made here, destroyed at the end, and read in between.
    var actions = unsafe posix_spawn_file_actions_t()
    _ = unsafe posix_spawn_file_actions_init(&actions)
    defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, number) in zip(inherited, numbers) {
        _ = unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, number)
    }
    let words = ["xen-bench", "--play", part.name, "\(count)"] + numbers.map(String.init)
    let copies = unsafe words.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    var process = pid_t()
    // Safe: both lists end with nil, and the texts live until the call is over.
    let status = unsafe posix_spawn(
        &process, "/proc/self/exe", &actions, nil, copies + [nil], [nil])
    guard status == 0 else { throw SystemFailure("posix_spawn", .init(rawValue: status)) }
    return process
}
