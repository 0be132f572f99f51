/// How often a `MockHypervisor` misbehaves: the probability of each fault, from 0 to 1. At first all are zero.
public struct MockFaults: Hashable, Sendable {
    /// A notification never arrives.
    public var lost = 0.0
    /// A notification is on its way until `MockHypervisor.deliverDelayed(_:)`.
    public var delayed = 0.0
    /// A notification joins an earlier one of its port that is still on its way, as Xen allows.
    public var merged = 0.0
    /// A notification arrives now, and once more as a delayed one does.
    public var repeated = 0.0
    /// Mapping is refused with EAGAIN.
    public var mapAgain = 0.0
    /// Mapping is refused with EINVAL, as if the granter had revoked a page.
    public var mapInvalid = 0.0
    /// The calling process is killed before a call on its handles is carried out.
    public var killed = 0.0
    /// The calling process's domain is destroyed before a call is carried out. Dom0 never is.
    public var destroyed = 0.0

    public init() {}
}

/// One kind of fault, by the name of its probability in `MockFaults`.
public enum MockFault: String, CaseIterable, Hashable, Sendable {
    case lost, delayed, merged, repeated, mapAgain, mapInvalid, killed, destroyed
}

extension MockFaults {
    public subscript(fault: MockFault) -> Double {
        get {
            switch fault {
            case .lost: lost
            case .delayed: delayed
            case .merged: merged
            case .repeated: repeated
            case .mapAgain: mapAgain
            case .mapInvalid: mapInvalid
            case .killed: killed
            case .destroyed: destroyed
            }
        }
        set {
            switch fault {
            case .lost: lost = newValue
            case .delayed: delayed = newValue
            case .merged: merged = newValue
            case .repeated: repeated = newValue
            case .mapAgain: mapAgain = newValue
            case .mapInvalid: mapInvalid = newValue
            case .killed: killed = newValue
            case .destroyed: destroyed = newValue
            }
        }
    }
}
