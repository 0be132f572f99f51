package import XenCore
package import XenStoreWire

/// A connection's name within the server; never reused, and in the order of opening.
package struct ConnectionID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Where the connection lies among those that are open, from 0: no two of them share a place.
    package var place: Int { Int(rawValue & ((1 << Self.placeBits) - 1)) }

    static let placeBits: UInt64 = 24
}

/// An INTRODUCE that waits for the domain's ring, to be given back once that is there or has failed.
package struct IntroductionTicket: Hashable, Sendable {
    let serial: UInt64
}

/// What the server wants done.
package enum StoreOutput: Hashable, Sendable {
    case send(ConnectionID, Packet)
    case close(ConnectionID)
    /// INTRODUCE: map the domain's ring page (grant reference 1) and bind its port, again if they were already,
    /// then give the ticket back to `StoreCore.attached` or `StoreCore.failedToAttach`.
    case attach(DomainID, port: EventPort, IntroductionTicket)
    /// RELEASE, or the domain's death: let go of its page and port, if it had any.
    case detach(DomainID)
    /// A line for the log.
    case log(StoreServerNotice)
}
