/// Something in a ring's page that does not fit the rest.
public struct RingFinding: Hashable, Sendable, CustomStringConvertible {
    /// How much it matters.
    public enum Severity: String, Hashable, Sendable, Comparable, CaseIterable {
        /// Unusual, and harmless by itself.
        case note
        /// Honest ends rarely or never write it, and it can make one of them wait for ever.
        case warning
        /// No honest end writes it, or an end says itself that something went wrong.
        case error

        public static func < (left: Severity, right: Severity) -> Bool {
            left.rank < right.rank
        }

        private var rank: Int {
            switch self {
            case .note: 0
            case .warning: 1
            case .error: 2
            }
        }
    }

    /// What kind of finding this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// A producer index is further ahead than the ring has room for.
        public static let beyondCapacity = Code(description: "beyond capacity")
        /// There are more responses than there were requests.
        public static let responsesAhead = Code(description: "responses ahead of requests")
        /// An event index that the next messages cannot reach: nobody is notified.
        public static let unreachableEvent = Code(description: "unreachable event index")
        /// An event index that no ring is made with, in a ring that has carried nothing.
        public static let unmadeEvent = Code(description: "event index of no fresh ring")
        /// All bytes are zero: no ring was made here.
        public static let neverMade = Code(description: "never made")
        /// Bytes that belong to no field are not zero.
        public static let padding = Code(description: "padding is not zero")
        /// An order that the protocol does not allow.
        public static let impossibleOrder = Code(description: "impossible order")
        /// A grant reference that belongs to the console or the xenstore.
        public static let reservedReference = Code(description: "reserved reference")
        /// The same grant reference for two pages of a ring.
        public static let repeatedReference = Code(description: "repeated reference")
        /// A field has a value that the protocol does not define.
        public static let unknownValue = Code(description: "unknown value")
        /// A field is used that the server does not say it knows.
        public static let missingFeature = Code(description: "feature not offered")
        /// The server says that it found an error, or the back that it has ended.
        public static let reportedError = Code(description: "reported error")
    }

    public let code: Code
    public let severity: Severity

    /// A sentence: what is wrong with what, and what follows from it.
    public let message: String

    init(_ severity: Severity, _ code: Code, _ message: String) {
        self.severity = severity
        self.code = code
        self.message = message
    }

    public var description: String { "\(severity.rawValue): \(message)" }
}

/// Why a page cannot be inspected at all.
public struct RingInspectionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure this is. New codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// There are fewer bytes than the smallest ring of this kind has.
        public static let tooShort = Code(description: "too short")
    }

    public let code: Code

    /// What is missing, and what to do.
    public let message: String

    static func tooShort(_ byteCount: Int, _ kind: RingKind) -> RingInspectionError {
        RingInspectionError(
            code: .tooShort,
            message: "\(byteCount) bytes are too few for a ring of kind \(kind); give whole pages")
    }

    public var description: String { "\(message) (\(code))" }
}
