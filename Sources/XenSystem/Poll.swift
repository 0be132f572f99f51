package import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a wait on descriptors found.
package struct PollOutcome: Sendable {
    package let events: [Int16]

    /// Whether descriptor `index` can be read, or has hung up or failed, so that a read says so.
    package func isReadable(_ index: Int) -> Bool {
        events[index] & Int16(POLLIN | POLLHUP | POLLERR | POLLNVAL) != 0
    }

    /// Whether descriptor `index` takes bytes, or has hung up or failed, so that a write says so.
    package func isWritable(_ index: Int) -> Bool {
        events[index] & Int16(POLLOUT | POLLHUP | POLLERR | POLLNVAL) != 0
    }

    package var isEmpty: Bool { events.allSatisfy { $0 == 0 } }
}

/// What to wait for on a descriptor.
package struct PollInterest: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    package static let readable = PollInterest(rawValue: Int16(POLLIN))
    package static let writable = PollInterest(rawValue: Int16(POLLOUT))
}

/// Blocks until one of the descriptors is ready or the deadline has passed. Restarts after signals.
package func poll(
    _ descriptors: [(descriptor: Int32, interest: PollInterest)], until deadline: Deadline
) throws(SystemFailure) -> PollOutcome {
    var entries = descriptors.map {
        pollfd(fd: $0.descriptor, events: $0.interest.rawValue, revents: 0)
    }
    while true {
        // Safe: `entries` is private, and the kernel writes within its count.
        let count = unsafe poll(&entries, nfds_t(entries.count), deadline.remainingMilliseconds)
        if count >= 0 { return PollOutcome(events: entries.map(\.revents)) }
        let failure = SystemFailure("poll")
        guard failure.errorNumber == .interrupted else { throw failure }
    }
}

/// Blocks this thread for a while.
package func pause(_ duration: Duration) throws(SystemFailure) {
    _ = try poll([], until: .after(duration))
}

/// Blocks until the descriptor can be read, has hung up or failed, or the deadline has passed.
/// Restarts after signals, and allocates nothing.
package func waitUntilReadable(
    _ descriptor: Int32, until deadline: Deadline
) throws(SystemFailure) {
    var entry = pollfd(fd: descriptor, events: PollInterest.readable.rawValue, revents: 0)
    // Safe: one private entry, and the count says so.
    while unsafe poll(&entry, 1, deadline.remainingMilliseconds) < 0 {
        let failure = SystemFailure("poll")
        guard failure.errorNumber == .interrupted else { throw failure }
    }
}

/// Blocks until one of two descriptors can be read, has hung up or failed, or the deadline has passed.
/// Restarts after signals, and allocates nothing.
package func waitUntilReadable(
    _ first: Int32, or second: Int32, until deadline: Deadline
) throws(SystemFailure) -> (first: Bool, second: Bool) {
    var entries = (
        pollfd(fd: first, events: PollInterest.readable.rawValue, revents: 0),
        pollfd(fd: second, events: PollInterest.readable.rawValue, revents: 0)
    )
    let count = unsafe withUnsafeMutableBytes(of: &entries) { bytes in
        // Safe: a tuple's two equal parts lie one after the other, and the count says two.
        let pair = unsafe bytes.assumingMemoryBound(to: pollfd.self)
        while true {
            let count = unsafe poll(pair.baseAddress, 2, deadline.remainingMilliseconds)
            if count >= 0 || ErrorNumber.current != .interrupted { return count }
        }
    }
    guard count >= 0 else { throw SystemFailure("poll") }
    return (entries.0.revents != 0, entries.1.revents != 0)
}
