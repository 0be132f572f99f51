import XenCore

/// A request's place in the client, the same in every epoch: twelve bits for a slot, twelve that change with each
/// request that uses the slot.
///
/// With eight bits of an epoch in front it is the id that travels, so that a reply from an older connection, or a
/// second one for the same request, belongs to nobody.
struct RequestHandle: Hashable, Sendable {
    let rawValue: UInt32

    /// How many slots can be told apart.
    static let slotLimit = 1 << 12

    private static let mask: UInt32 = 0xFF_FFFF

    init(slot: Int, generation: UInt32) { rawValue = generation << 12 | UInt32(slot) }

    /// The request that an id speaks of, whatever its epoch.
    init(requestID: UInt32) { rawValue = requestID & Self.mask }

    var slot: Int { Int(rawValue & 0xFFF) }

    /// The id of this request in an epoch; never zero.
    func requestID(in epoch: Epoch) -> UInt32 { epoch.rawValue << 24 | rawValue }

    /// How many epochs before `epoch` an id was made, as far as its bits tell.
    static func age(of requestID: UInt32, in epoch: Epoch) -> UInt32 {
        (epoch.rawValue &- requestID >> 24) & 0xFF
    }
}
