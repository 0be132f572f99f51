import XenCore

/// What a test waited for in vain.
package struct NotSeen: Error, CustomStringConvertible {
    package let description: String
}

/// Waits for something that will come if the code is right; how long it takes decides nothing.
package func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = Deadline.after(.seconds(30))
    while try await !condition() {
        guard !deadline.hasPassed else { throw NotSeen(description: "waited in vain for \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}
