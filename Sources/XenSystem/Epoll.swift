import CSystem
import XenCore

/// Waits for any number of descriptors at a cost that depends on the ready ones alone. Level-triggered.
///
/// Its own descriptor is readable while any of them is ready, and nests in anyone's poll or epoll.
/// Every call may be made from any thread; a change reaches a wait that is under way.
package final class Epoll: Sendable {
    /// What to wait for on a descriptor. Without any it is still told that the other end has gone.
    package struct Interest: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: 0x1)  // EPOLLIN
        package static let writable = Interest(rawValue: 0x4)  // EPOLLOUT
    }

    /// A descriptor that is ready.
    package struct Event: Sendable {
        /// What the descriptor was added with.
        package let token: UInt64
        private let bits: UInt32

        fileprivate init(_ ready: csystem_ready) {
            token = ready.token
            bits = ready.events
        }

        /// It can be read, or a read says why not.
        package var isReadable: Bool { bits & ~Interest.writable.rawValue != 0 }
        /// It takes bytes, or a write says why not.
        package var isWritable: Bool { bits & ~Interest.readable.rawValue != 0 }
        /// The other end has gone, or the descriptor has failed.
        package var hasEnded: Bool { bits & 0x18 != 0 }  // EPOLLERR, EPOLLHUP
    }

    /// The memory for what a wait finds.
    package struct Events: Sendable {
        fileprivate var ready = [csystem_ready](repeating: csystem_ready(), count: 64)
        package fileprivate(set) var count = 0

        package init() {}

        package subscript(index: Int) -> Event {
            precondition(index < count, "no event is there")
            return Event(ready[index])
        }
    }

    private let owned: OwnedDescriptor

    package init() throws(SystemFailure) {
        let raw = csystem_epoll()
        guard raw >= 0 else { throw SystemFailure("epoll_create1") }
        owned = OwnedDescriptor(adopting: raw)
    }

    package var descriptor: Int32 { owned.rawValue }

    /// Adds a descriptor, which goes by itself when it is closed everywhere.
    package func add(
        _ descriptor: Int32, _ interest: Interest, token: UInt64
    ) throws(SystemFailure) {
        try change(Operation.add, descriptor, interest, token)
    }

    /// Changes what to wait for.
    package func change(
        _ descriptor: Int32, to interest: Interest, token: UInt64
    ) throws(SystemFailure) {
        try change(Operation.modify, descriptor, interest, token)
    }

    /// Removes a descriptor that others keep open.
    package func remove(_ descriptor: Int32) throws(SystemFailure) {
        try change(Operation.delete, descriptor, [], 0)
    }

    /// Blocks until a descriptor is ready, the time is over or a signal came; then `events` may be empty.
    ///
    /// - Parameter milliseconds: nil to wait for ever.
    package func wait(
        for milliseconds: Int32?, _ events: inout Events
    ) throws(SystemFailure) {
        let room = Int32(events.ready.count)
        // Safe: the kernel's answer is written within the array's own count.
        let count = unsafe csystem_epoll_wait(
            owned.rawValue, &events.ready, room, milliseconds ?? -1)
        events.count = max(0, Int(count))
        guard count < 0 else { return }
        let failure = SystemFailure("epoll_wait")
        guard failure.errorNumber == .interrupted else { throw failure }
    }

    /// `EPOLL_CTL_ADD` and so on, which Swift cannot import.
    private enum Operation: Int32 {
        case add = 1
        case delete = 2
        case modify = 3
    }

    private func change(
        _ operation: Operation, _ descriptor: Int32, _ interest: Interest, _ token: UInt64
    ) throws(SystemFailure) {
        let bits = interest.rawValue
        guard
            csystem_epoll_change(
                owned.rawValue, operation.rawValue, descriptor, bits, token) == 0
        else {
            throw SystemFailure("epoll_ctl")
        }
    }
}
