/// A number at the start of a text, as C's `strtol` reads it: spaces, a sign, digits, and then anything.
///
/// The daemons read most of their numbers so, and what they accept is what the protocol accepts.
struct LeadingNumber {
    private var magnitude: UInt64 = 0
    private var isNegative = false
    private var overflows = false
    /// What follows the number; all of the text where it has none.
    private(set) var rest: ArraySlice<UInt8>

    /// A base that the text itself shows: 16 after `0x`, 8 after `0`, 10 otherwise.
    enum Base {
        case decimal
        case shown
    }

    init(_ text: ArraySlice<UInt8>, base: Base = .decimal) {
        rest = text
        var digits = text.drop { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        var radix: UInt64 = 10
        if base == .shown, digits.first == UInt8(ascii: "0") {
            radix = 8
            let behindPrefix = digits.dropFirst(2)
            if digits.dropFirst().first.map({ $0 | 0x20 }) == UInt8(ascii: "x"),
                Self.digit(behindPrefix.first, radix: 16) != nil
            {
                radix = 16
                digits = behindPrefix
            }
        }
        while let digit = Self.digit(digits.first, radix: radix) {
            let (scaled, overflow) = magnitude.multipliedReportingOverflow(by: radix)
            let (next, carried) = scaled.addingReportingOverflow(digit)
            overflows = overflows || overflow || carried
            magnitude = next
            digits = digits.dropFirst()
            rest = digits
        }
    }

    /// As `strtol` gives it: the nearest that there is.
    var long: Int64 {
        let limit = isNegative ? UInt64(Int64.max) + 1 : UInt64(Int64.max)
        guard !overflows, magnitude <= limit else { return isNegative ? .min : .max }
        return Int64(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude)
    }

    /// As `strtoul` gives it: below zero it wraps.
    var unsignedLong: UInt64 {
        if overflows { return .max }
        return isNegative ? 0 &- magnitude : magnitude
    }

    /// As `atoi` gives it, in the C libraries that Xen is built with: cut to 32 bits.
    var int: Int32 { Int32(truncatingIfNeeded: long) }

    private static func digit(_ byte: UInt8?, radix: UInt64) -> UInt64? {
        guard let byte else { return nil }
        let value: UInt64
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = UInt64(byte - UInt8(ascii: "A")) + 10
        default: return nil
        }
        return value < radix ? value : nil
    }
}
