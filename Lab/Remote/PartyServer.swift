import Synchronization
package import XenCore
package import XenEvtchn
package import XenGrant
import XenSystem
import XenTesting

/// The end of a link that makes parties and does what the other end asks of them, one call after another; a wait has
/// a thread of its own, so that other calls can end it.
package final class PartyServer: Sendable {
    package typealias Handles = (grants: any GrantBackend, events: any EventChannelBackend)

    private struct State {
        var lastHandle: UInt32 = 0
        var grants: [UInt32: ServedGrants] = [:]
        var events: [UInt32: any EventChannelBackend] = [:]
        var holders: [UInt32: any PageHolder] = [:]
        var partyCount = 0

        mutating func newHandle() -> UInt32 {
            lastHandle += 1
            return lastHandle
        }
    }

    private let link: Link
    private let open: @Sendable () throws -> Handles
    private let hold: @Sendable (PageToHold) throws -> any PageHolder
    private let state = Mutex(State())
    private let finished = ThreadSignal()
    /// How it went: whether it is over, and what was wrong, if anything.
    private let ending = Mutex<(isOver: Bool, reason: String?)>((false, nil))

    /// - Parameters:
    ///   - open: opens the handles of a party.
    ///   - hold: starts a process that maps a page.
    package init(
        over link: Link, open: @escaping @Sendable () throws -> Handles,
        hold: @escaping @Sendable (PageToHold) throws -> any PageHolder
    ) {
        self.link = link
        self.open = open
        self.hold = hold
    }

    /// The parties that were made so far.
    package var partyCount: Int { state.withLock(\.partyCount) }

    /// Serves, and blocks until the other end says goodbye. Throws if it goes without that, or stays too long.
    package func serve(until deadline: Deadline) throws {
        try link.start { [self] message in
            receive(message)
        } ended: { [self] reason in
            finish(reason)
        }
        if !finished.wait(until: deadline) { finish("the other end has not said goodbye in time") }
        try link.close(until: .after(.seconds(30)))
        if let reason = ending.withLock(\.reason) { throw LinkEnded(reason) }
    }

    private func finish(_ reason: String?) {
        // What comes first counts: after its goodbye the other end may well be gone.
        ending.withLock { if !$0.isOver { $0 = (true, reason) } }
        finished.signal()
    }

    private func receive(_ message: [UInt8]) {
        var reader = WireReader(message[...])
        do {
            let (number, operation, handle) = try reader.next(
                UInt32.self, PartyOperation.self, UInt32.self)
            switch operation {
            case .goodbye: finish(nil)
            case .nextPending: try wait(number, handle, &reader)
            default: reply(number, answer { try perform(operation, handle, &reader) })
            }
        } catch {
            finish("\(error)")
        }
    }

    private func reply(_ number: UInt32, _ answer: PartyAnswer) {
        if number == PartyCaller.posted, case .result = answer { return }
        do {
            try link.send(wire(number, answer))
        } catch {
            finish("\(error)")
        }
    }

    private func wait(_ number: UInt32, _ handle: UInt32, _ reader: inout WireReader) throws {
        let deadline = Deadline.after(.milliseconds(try reader.next(Int.self)))
        let thread = try PlatformThread { [self] in
            reply(
                number, answer { wire(try events(handle).nextPending(until: deadline)) })
        }
        _ = consume thread
    }
}

// Handles.
extension PartyServer {
    private func perform(
        _ operation: PartyOperation, _ handle: UInt32, _ reader: inout WireReader
    ) throws -> [UInt8] {
        switch operation {
        case .open: return try openParty()
        case .close: return closeParty(handle, events: try reader.next(UInt32.self))
        case .hold:
            let holder = try hold(try reader.next(PageToHold.self))
            return state.withLock { state in
                let number = state.newHandle()
                state.holders[number] = holder
                return wire(number)
            }
        case .killHolder:
            let number = try reader.next(UInt32.self)
            try state.withLock { $0.holders.removeValue(forKey: number) }?.end()
            return []
        case .successor:
            let successor = try events(handle).successorAfterResume()
            return state.withLock { state in
                let handle = state.newHandle()
                state.events[handle] = successor
                return wire(handle)
            }
        default: break
        }
        if let grants = state.withLock({ $0.grants[handle] }) {
            return try grants.perform(operation, &reader)
        }
        return try events(handle).perform(operation, &reader)
    }

    private func openParty() throws -> [UInt8] {
        let handles = try open()
        return state.withLock { state in
            let (grants, events) = (state.newHandle(), state.newHandle())
            state.grants[grants] = ServedGrants(handles.grants)
            state.events[events] = handles.events
            state.partyCount += 1
            return wire(grants, events)
        }
    }

    private func closeParty(_ grants: UInt32, events: UInt32) -> [UInt8] {
        let gone = state.withLock { state in
            // With the handles of one party go their successors: parties come one after another.
            defer { state.events = [:] }
            return (state.grants.removeValue(forKey: grants), state.events)
        }
        // A wait that is under way would keep its handle.
        for handle in gone.1.values { handle.interrupt() }
        return []
    }

    private func events(_ handle: UInt32) throws -> any EventChannelBackend {
        guard let events = state.withLock({ $0.events[handle] }) else {
            throw WireError("there is no handle \(handle)")
        }
        return events
    }
}

/// What `body` returns or throws.
private func answer(_ body: () throws -> [UInt8]) -> PartyAnswer {
    do {
        return .result(try body())
    } catch let error as GrantError {
        return .grantError(error)
    } catch let error as EventChannelError {
        return .eventError(error)
    } catch {
        return .failure("\(error)")
    }
}
