/// A value that crosses the link between two parties.
package protocol WireValue {
    func write(to output: inout [UInt8])
    init(from input: inout WireReader) throws(WireError)
}

/// Bytes from the other end that are no message: its program is another one, or its ring is broken.
package struct WireError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// What is left of a message.
package struct WireReader {
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func take(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw WireError("a message is too short") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// The next values, in the order in which `wire` was given them.
    package mutating func next<each Value: WireValue>(
        _ types: repeat (each Value).Type
    ) throws(WireError) -> (repeat each Value) {
        (repeat try (each Value)(from: &self))
    }

    /// The next value.
    package mutating func next<Value: WireValue>(_ type: Value.Type) throws(WireError) -> Value {
        try Value(from: &self)
    }

    /// All that is left.
    package func remaining() -> ArraySlice<UInt8> { rest }
}

/// Values one after another.
package func wire<each Value: WireValue>(_ values: repeat each Value) -> [UInt8] {
    var bytes: [UInt8] = []
    repeat (each values).write(to: &bytes)
    return bytes
}

/// Integers are little-endian and as wide as they are in memory: both ends are one program on one kind of machine.
extension WireValue where Self: FixedWidthInteger {
    package func write(to output: inout [UInt8]) {
        for shift in stride(from: 0, to: Self.bitWidth, by: 8) {
            output.append(UInt8(truncatingIfNeeded: self >> Self(shift)))
        }
    }

    package init(from input: inout WireReader) throws(WireError) {
        let bytes = try input.take(Self.bitWidth / 8)
        self = bytes.reversed().reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }
}

extension UInt8: WireValue {}
extension UInt16: WireValue {}
extension UInt32: WireValue {}
extension UInt64: WireValue {}
extension Int16: WireValue {}
extension Int32: WireValue {}
extension Int: WireValue {}

extension Bool: WireValue {
    package func write(to output: inout [UInt8]) { output.append(self ? 1 : 0) }
    package init(from input: inout WireReader) throws(WireError) {
        self = try UInt8(from: &input) != 0
    }
}

extension Optional: WireValue where Wrapped: WireValue {
    package func write(to output: inout [UInt8]) {
        (self != nil).write(to: &output)
        self?.write(to: &output)
    }

    package init(from input: inout WireReader) throws(WireError) {
        self = try Bool(from: &input) ? Wrapped(from: &input) : nil
    }
}

extension Array: WireValue where Element: WireValue {
    package func write(to output: inout [UInt8]) {
        count.write(to: &output)
        if let bytes = self as? [UInt8] {
            output += bytes
        } else {
            for element in self { element.write(to: &output) }
        }
    }

    package init(from input: inout WireReader) throws(WireError) {
        let count = try Int(from: &input)
        self = []
        if Element.self == UInt8.self, let bytes = [UInt8](try input.take(count)) as? [Element] {
            self = bytes
        } else {
            // A wrong count ends with the message.
            while self.count < count { append(try Element(from: &input)) }
        }
    }
}

extension String: WireValue {
    package func write(to output: inout [UInt8]) { Array(utf8).write(to: &output) }
    package init(from input: inout WireReader) throws(WireError) {
        self = String(decoding: try [UInt8](from: &input), as: UTF8.self)
    }
}
