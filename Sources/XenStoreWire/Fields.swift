#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The NUL-terminated strings that payloads are made of.
package struct Fields {
    private var rest: ArraySlice<UInt8>

    package init(_ payload: [UInt8]) { rest = payload[...] }

    /// The bytes that no field has taken.
    package var remainder: [UInt8] { Array(rest) }

    package var isAtEnd: Bool { rest.isEmpty }

    /// The next string, without its NUL; nil when no NUL is left.
    package mutating func next() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    /// Where the first string of a payload ends; nil when there is no NUL.
    package static func firstEnd(in payload: [UInt8]) -> Int? {
        // Safe: the search stays within the array, and the pointer within the closure.
        unsafe payload.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let end = unsafe memchr(base, 0, bytes.count) else {
                return nil
            }
            return unsafe UnsafeRawPointer(end) - base
        }
    }

    /// All the strings of a payload that consists of nothing else; nil when bytes follow the last NUL.
    package static func all(_ payload: [UInt8]) -> [ArraySlice<UInt8>]? {
        var fields = Fields(payload)
        var strings: [ArraySlice<UInt8>] = []
        while let field = fields.next() { strings.append(field) }
        return fields.isAtEnd ? strings : nil
    }

    /// A payload of these strings, each with its NUL.
    package static func encode(_ strings: [[UInt8]]) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(strings.reduce(0) { $0 + $1.count + 1 })
        for string in strings {
            payload.append(contentsOf: string)
            payload.append(0)
        }
        return payload
    }

    /// A payload of one number, in decimal digits.
    package static func encode(_ number: UInt32) -> [UInt8] {
        // Last digit first, behind its NUL, and then the other way round.
        var payload: [UInt8] = []
        payload.reserveCapacity(11)
        payload.append(0)
        var rest = number
        repeat {
            payload.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        payload.reverse()
        return payload
    }

    /// How many strings a payload has: its NULs. What follows the last one does not count.
    package static func count(_ payload: [UInt8]) -> Int { payload.count { $0 == 0 } }
}

extension [UInt8] {
    /// One allocation, and one copy.
    init(copying bytes: Span<UInt8>) {
        // Safe: copied within the call.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension FixedWidthInteger {
    /// Reads decimal digits, and nothing else.
    package init?(decimal digits: some Collection<UInt8>) {
        guard !digits.isEmpty else { return nil }
        var value: Self = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, carried) = scaled.addingReportingOverflow(Self(digit - UInt8(ascii: "0")))
            guard !overflow, !carried else { return nil }
            value = next
        }
        self = value
    }
}

@inlinable
package func decimal(_ value: some FixedWidthInteger) -> [UInt8] { Array(String(value).utf8) }
