/// The replies about the server itself.
extension Reply {
    /// Text such as CONTROL answers; bytes that are no UTF-8 are replaced.
    public static func string(_ payload: [UInt8]) -> String {
        String(decoding: text(payload), as: UTF8.self)
    }

    /// The words of a list, such as GET_QUOTA's names, between blanks or NULs.
    public static func words(_ payload: [UInt8]) -> [String] {
        payload.split { $0 == 0 || $0 == UInt8(ascii: " ") }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// A decimal number, as GET_QUOTA answers it.
    public static func number(_ payload: [UInt8]) throws(StoreError) -> UInt32 {
        guard let number = UInt32(decimal: text(payload)) else {
            throw violation("number", payload)
        }
        return number
    }

    /// What a server offers, as GET_FEATURE answers it.
    public static func features(_ payload: [UInt8]) throws(StoreError) -> ServerFeatures {
        ServerFeatures(rawValue: try number(payload))
    }
}
