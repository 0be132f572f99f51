import ToolSupport
import XenStoreClient

/// A watch's event, for eyes and for programs.
struct ShownEvent: Hashable, Sendable {
    enum Value: Hashable, Sendable {
        case octets(Octets)
        /// There is no such node now.
        case gone
        case refused(StoreErrorName)
    }

    let path: StorePath
    /// Whether events were lost, or the connection and made again: anything at or below the path may have changed.
    let isOverflow: Bool
    /// Nil unless it was asked for, and is a node's.
    var value: Value?

    init(_ event: WatchEvent, of watched: StorePath) {
        switch event {
        case .changed(let path): (self.path, isOverflow) = (path, false)
        case .overflow, .lookAgain: (path, isOverflow) = (watched, true)
        }
    }

    /// Looks what the node has now.
    mutating func readValue(from store: StoreClient) async throws(StoreError) {
        guard !path.isSpecial, !isOverflow else { return }
        do throws(StoreError) { value = .octets(Octets(try await store.read(path))) } catch {
            guard error.code == .refused, let name = error.name else { throw error }
            value = name == .noEntry ? .gone : .refused(name)
        }
    }

    var text: String {
        if isOverflow { return "\(path) [events lost: look again]" }
        return switch value {
        case .octets(let octets): "\(path) = \(octets.quoted)"
        case .gone: "\(path) [gone]"
        case .refused(let name): "\(path) [\(name)]"
        case nil: "\(path)"
        }
    }

    var json: JSON {
        var members: [(String, JSON)] = [("path", .string("\(path)"))]
        if isOverflow { members.append(("overflow", .bool(true))) }
        switch value {
        case .octets(let octets): members.append(octets.member)
        case .gone: members.append(("error", .string("\(StoreErrorName.noEntry)")))
        case .refused(let name): members.append(("error", .string("\(name)")))
        case nil: break
        }
        return .object(members)
    }
}
