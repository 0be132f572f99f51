import XenCore
import XenEvtchn
import XenGrant

// A failure crosses the link whole: its code, the kernel's word for it, what it was about.

extension GrantError: WireValue {
    private static let codes: [Code] = [
        .unavailable, .badReference, .inUse, .limitReached, .notFound, .again, .refused,
    ]

    package func write(to output: inout [UInt8]) {
        output += wire(code.description, errorNumber, message)
    }

    package init(from input: inout WireReader) throws(WireError) {
        let (name, errorNumber, message) = try input.next(
            String.self, ErrorNumber?.self, String.self)
        guard let code = Self.codes.first(where: { $0.description == name }) else {
            throw WireError("a failure of grants has the unknown code '\(name)'")
        }
        self.init(code, errorNumber: errorNumber, message)
    }
}

extension EventChannelError: WireValue {
    private static let codes: [Code] = [
        .unavailable, .badPort, .badRemotePort, .alreadyBound, .handledElsewhere, .notPermitted,
        .stale, .limitReached, .overflow, .refused,
    ]

    package func write(to output: inout [UInt8]) {
        output += wire(code.description, errorNumber, message)
    }

    package init(from input: inout WireReader) throws(WireError) {
        let (name, errorNumber, message) = try input.next(
            String.self, ErrorNumber?.self, String.self)
        guard let code = Self.codes.first(where: { $0.description == name }) else {
            throw WireError("a failure of event channels has the unknown code '\(name)'")
        }
        self.init(code, errorNumber: errorNumber, message)
    }
}
