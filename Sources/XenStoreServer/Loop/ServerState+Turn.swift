import XenCore
import XenStoreWire
import XenSystem

/// What a descriptor in the loop is.
enum Token: Equatable {
    case wakeup
    case guestEvents
    case listener(Int)
    case session(ConnectionID)

    private static let listenerBit: UInt64 = 1 << 63

    /// Connections are numbered from above 1, and never reach the highest bit.
    init(rawValue: UInt64) {
        switch rawValue {
        case 0: self = .wakeup
        case 1: self = .guestEvents
        case Self.listenerBit...: self = .listener(Int(rawValue & ~Self.listenerBit))
        default: self = .session(ConnectionID(rawValue: rawValue))
        }
    }

    var rawValue: UInt64 {
        switch self {
        case .wakeup: 0
        case .guestEvents: 1
        case .listener(let index): Self.listenerBit | UInt64(index)
        case .session(let id): id.rawValue
        }
    }
}

extension ServerState {
    /// Does all that is to be done now. Nil once the server has been stopped.
    ///
    /// - Parameter wakeup: signalled by those who change the state from outside.
    mutating func turn(
        _ events: borrowing Epoll.Events, _ buffer: inout [UInt8], _ wakeup: borrowing Wakeup
    ) -> Turn? {
        guard !isStopped else { return nil }
        now = .now
        resumeAccepting()
        releaseHeld()
        endStalled()
        if let due = domainsToBeLookedAt, due <= now { lookAtDomains() }
        serveOwed()
        for index in 0..<events.count {
            let event = events[index]
            switch Token(rawValue: event.token) {
            case .wakeup: wakeup.reset()
            case .guestEvents: takeGuestEvents()
            case .listener(let index): accept(index)
            // One that was ended in this turn is told of no more.
            case .session(let id): if let session = session(id) { serve(session, event, &buffer) }
            }
        }
        serveRings(&buffer)
        adoptQuotas()
        flush()
        return Turn(patience: patience(), notices: takeNotices())
    }

    /// Has the owner told of something after this turn, unless a guest has it told of too much.
    mutating func tell(_ notice: StoreServerNotice) {
        if let domain = notice.domain, domain != .dom0 {
            guard let leftOutCount = noticeBudget.admit(domain, at: now) else { return }
            if leftOutCount > 0 { notices.append(.leftOut(domain, count: leftOutCount)) }
        }
        notices.append(notice)
    }

    mutating func takeNotices() -> [StoreServerNotice] {
        guard !notices.isEmpty else { return [] }
        defer { notices = [] }
        return notices
    }
}

/// What comes of a turn.
struct Turn: Sendable {
    /// How long the loop may sleep, in milliseconds; nil for ever.
    let patience: Int32?
    let notices: [StoreServerNotice]
}
