import XenEvtchn
import XenGrant

/// What one end of a link asks of the other: a call on one of its handles.
enum PartyOperation: UInt8, WireValue {
    // Handles: `open` answers with the numbers of new ones for grants and event channels.
    case open, close
    // Grants.
    case share, unshare, map, unmap, copy
    // The memory of shares, mappings and the party alone.
    case load, store, isWritable, allocate, free
    // Event channels.
    case bindUnbound, bindInterdomain, bindVirtualInterrupt, unbind
    case notify, mask, unmask, rearm, nextPending, interrupt, restrict
    case epoch, staleEventCount, successor
    // A process that maps a page, and its violent end.
    case hold, killHolder
    // No more calls come. There is no answer.
    case goodbye

    func write(to output: inout [UInt8]) { rawValue.write(to: &output) }
    init(from input: inout WireReader) throws(WireError) {
        let number = try UInt8(from: &input)
        guard let operation = Self(rawValue: number) else {
            throw WireError("\(number) is no operation")
        }
        self = operation
    }
}

/// What became of a call.
enum PartyAnswer {
    case result([UInt8])
    case grantError(GrantError)
    case eventError(EventChannelError)
    /// Not the hypervisor's doing: the call or the other end is at fault.
    case failure(String)
}

extension PartyAnswer: WireValue {
    func write(to output: inout [UInt8]) {
        switch self {
        case .result(let values): output += [0] + values
        case .grantError(let error): output += wire(UInt8(1), error)
        case .eventError(let error): output += wire(UInt8(2), error)
        case .failure(let text): output += wire(UInt8(3), text)
        }
    }

    init(from input: inout WireReader) throws(WireError) {
        switch try UInt8(from: &input) {
        case 0: self = .result(Array(input.remaining()))
        case 1: self = .grantError(try .init(from: &input))
        case 2: self = .eventError(try .init(from: &input))
        default: self = .failure(try .init(from: &input))
        }
    }
}
