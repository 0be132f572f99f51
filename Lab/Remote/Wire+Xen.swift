import XenCore
import XenEvtchn
import XenGrant

/// Values that are a number.
protocol WireNumber: WireValue, RawRepresentable where RawValue: WireValue {}

extension WireNumber {
    package func write(to output: inout [UInt8]) { rawValue.write(to: &output) }
    package init(from input: inout WireReader) throws(WireError) {
        let number = try RawValue(from: &input)
        guard let value = Self(rawValue: number) else {
            throw WireError("\(number) is no \(Self.self)")
        }
        self = value
    }
}

extension DomainID: WireNumber {}
extension GrantReference: WireNumber {}
extension EventPort: WireNumber {}
extension Epoch: WireNumber {}
extension ErrorNumber: WireNumber {}
extension VirtualInterrupt: WireNumber {}
extension GrantCopyStatus: WireNumber {}

extension GrantAccess: WireValue {
    package func write(to output: inout [UInt8]) { (self == .readWrite).write(to: &output) }
    package init(from input: inout WireReader) throws(WireError) {
        self = try Bool(from: &input) ? .readWrite : .readOnly
    }
}

extension UnmapNotification: WireValue {
    package func write(to output: inout [UInt8]) { output += wire(clearByte, notifyPort) }
    package init(from input: inout WireReader) throws(WireError) {
        let (byte, port) = try input.next(Int?.self, EventPort?.self)
        self.init(clearByte: byte, notifyPort: port)
    }
}

extension GrantedPage: WireValue {
    package func write(to output: inout [UInt8]) { output += wire(reference, domain) }
    package init(from input: inout WireReader) throws(WireError) {
        let (reference, domain) = try input.next(GrantReference.self, DomainID.self)
        self.init(reference, of: domain)
    }
}

extension GrantLocation: WireValue {
    package func write(to output: inout [UInt8]) { output += wire(page, offset) }
    package init(from input: inout WireReader) throws(WireError) {
        let (page, offset) = try input.next(GrantedPage.self, Int.self)
        self.init(page, offset: offset)
    }
}

/// A range of memory at the other end, which has given it this name.
struct RemoteRange: Hashable, Sendable, WireValue {
    let memory: UInt64
    var offset: Int
    let byteCount: Int

    init(memory: UInt64, offset: Int, byteCount: Int) {
        self.memory = memory
        self.offset = offset
        self.byteCount = byteCount
    }

    func write(to output: inout [UInt8]) { output += wire(memory, offset, byteCount) }
    init(from input: inout WireReader) throws(WireError) {
        (memory, offset, byteCount) = try input.next(UInt64.self, Int.self, Int.self)
    }
}

/// A copy's segment whose local side is at the other end.
enum RemoteSegment: WireValue {
    case read(GrantLocation, into: RemoteRange)
    case write(RemoteRange, to: GrantLocation)
    case relay(GrantLocation, to: GrantLocation, byteCount: Int)

    func write(to output: inout [UInt8]) {
        switch self {
        case .read(let location, let range): output += wire(UInt8(0), location, range)
        case .write(let range, let location): output += wire(UInt8(1), range, location)
        case .relay(let source, let target, let count):
            output += wire(UInt8(2), source, target, count)
        }
    }

    init(from input: inout WireReader) throws(WireError) {
        switch try UInt8(from: &input) {
        case 0: self = .read(try .init(from: &input), into: try .init(from: &input))
        case 1: self = .write(try .init(from: &input), to: try .init(from: &input))
        default:
            self = .relay(
                try .init(from: &input), to: try .init(from: &input),
                byteCount: try .init(from: &input))
        }
    }
}
