import XenCore
import XenEvtchn
import XenGrant

/// One statement about a back end, and how to find out. It needs no test framework.
///
///     for check in GrantConformance.checks {
///         try check.run(ConformanceHost(left: ..., right: ...))
///     }
public struct ConformanceCheck: Sendable {
    /// What is true of a back end that passes.
    public let name: String

    private let body: @Sendable (ConformanceHost) throws -> Void

    /// - Parameter body: throws what was expected and what was found, and leaves nothing behind.
    public init(_ name: String, _ body: @escaping @Sendable (ConformanceHost) throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Finds out; then sees that neither party holds a share, a mapping or a port any more. Blocks.
    ///
    /// Throws what was expected and what was found. Give each run a host of its own.
    public func run(_ host: ConformanceHost) throws {
        try body(host)
        try host.left.holdings.expectNothing("left")
        try host.right.holdings.expectNothing("right")
    }
}

extension ConformanceCheck: CustomStringConvertible {
    public var description: String { name }
}

/// A back end that does not do what it should: what was expected, and what was found.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// For what must happen: long enough for an emulated machine under load.
var patience: Deadline { .after(.seconds(30)) }

/// For what must not happen.
var shortWhile: Deadline { .after(.milliseconds(50)) }

func expect(_ condition: Bool, _ expectation: @autoclosure () -> String) throws {
    guard condition else { throw ConformanceFailure(expectation()) }
}

func expect<T: Equatable>(_ what: String, _ found: T, is expected: T) throws {
    try expect(found == expected, "\(what): expected \(expected), found \(found)")
}

/// Expects `action` to be refused with this code.
func expectRefusal(
    of what: String, as code: GrantError.Code, _ action: () throws(GrantError) -> Void
) throws {
    do {
        try action()
    } catch {
        return try expect("the refusal of \(what) (\(error))", error.code, is: code)
    }
    throw ConformanceFailure("\(what): expected a refusal as '\(code)', but it was done")
}

/// Expects `action` to be refused with this code.
func expectRefusal(
    of what: String, as code: EventChannelError.Code, _ action: () throws(EventChannelError) -> Void
) throws {
    do {
        try action()
    } catch {
        return try expect("the refusal of \(what) (\(error))", error.code, is: code)
    }
    throw ConformanceFailure("\(what): expected a refusal as '\(code)', but it was done")
}
