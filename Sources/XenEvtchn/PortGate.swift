/// Whether a port's rings come through: what every back end keeps for each port. A value without I/O.
///
/// Two things close the gate, each for itself: an event that was delivered and is not `rearm`ed yet, and
/// `mask()`. What rings meanwhile is remembered, once however often it rings, and waits for delivery as soon as
/// the gate is open again.
package struct PortGate: Hashable, Sendable {
    /// From delivery until `rearm()` or `unmask()`.
    package private(set) var isDelivered = false
    /// From `mask()` until `unmask()`.
    package private(set) var isMasked = false
    /// Has rung while the gate was closed.
    package private(set) var isPending = false
    /// Waits for delivery.
    package private(set) var isWaiting = false

    package init() {}

    /// What has to be done after the gate has changed.
    package enum Change: Hashable, Sendable {
        case nothing
        /// The port now waits for delivery.
        case waits
        /// The port does not wait any more.
        case waitsNoMore
        /// The port may ring again: a back end that had it silenced beneath lets it ring.
        case mayRing
    }

    /// The port has rung.
    package mutating func ring() -> Change {
        if isWaiting { return .nothing }
        if isDelivered || isMasked {
            isPending = true
            return .nothing
        }
        isWaiting = true
        return .waits
    }

    /// Delivers the event that waits. False when none does.
    package mutating func deliver() -> Bool {
        guard isWaiting else { return false }
        isWaiting = false
        isDelivered = true
        return true
    }

    /// Closes the gate until `unmask()`.
    package mutating func mask() -> Change {
        isMasked = true
        guard isWaiting else { return .nothing }
        isWaiting = false
        isPending = true
        return .waitsNoMore
    }

    /// The event that was delivered has been dealt with. Does not undo `mask()`.
    package mutating func rearm() -> Change {
        guard isDelivered else { return .nothing }
        isDelivered = false
        return isPending ? letPendingThrough() : .mayRing
    }

    /// Opens the gate, whatever closed it.
    package mutating func unmask() -> Change {
        isMasked = false
        let change = rearm()
        return change == .nothing ? letPendingThrough() : change
    }

    private mutating func letPendingThrough() -> Change {
        guard isPending, !isMasked, !isDelivered else { return .nothing }
        isPending = false
        isWaiting = true
        return .waits
    }

    /// A ring may have been lost: lets the port ring, or has it ring once it is unmasked.
    package mutating func recover() -> Change {
        if isWaiting || isDelivered { return .nothing }
        if isMasked {
            isPending = true
            return .nothing
        }
        return .mayRing
    }

    /// What `.mayRing` asked for has failed: the gate is as it was before.
    package mutating func undoRearm() { isDelivered = true }
}
