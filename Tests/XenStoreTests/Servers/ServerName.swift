/// A server that is put to the test.
enum ServerName: String, CaseIterable, Sendable, CustomStringConvertible {
    case ours
    /// Xen's daemon in C.
    case xenstored
    /// Xen's daemon in OCaml.
    case oxenstored

    var description: String { rawValue }

    /// Whether a connection hears of a request's events before the reply, and in the order of the changes and of its
    /// watches. The protocol asks for neither, and oxenstored does neither.
    var ordersEvents: Bool { self != .oxenstored }
}
