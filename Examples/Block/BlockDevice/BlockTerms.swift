import XenCore

/// What a frontend published, read strictly.
struct BlockTerms {
    /// Something published that no honest frontend publishes.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    let ring: GrantReference
    let port: EventPort
    let isPersistent: Bool

    init(published: [String: String]) throws(Fault) {
        ring = GrantReference(try Self.number("ring-ref", in: published))
        port = EventPort(try Self.number("event-channel", in: published))
        isPersistent = published["feature-persistent"] == "1"
        // Without the key the layout is that of our own architecture.
        let layout = published["protocol"] ?? "x86_64-abi"
        guard layout == "x86_64-abi" else {
            throw Fault(description: "the frontend speaks \(layout); only x86_64-abi is served")
        }
    }

    private static func number(
        _ key: String, in published: [String: String]
    ) throws(Fault) -> UInt32 {
        guard let text = published[key] else {
            throw Fault(description: "the frontend has not published \(key)")
        }
        guard let number = UInt32(text) else {
            throw Fault(description: "the frontend's \(key) is \"\(text)\", not a number")
        }
        return number
    }
}
