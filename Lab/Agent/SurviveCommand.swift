import ArgumentParser
import XenCore
import XenStoreClient
import XenSystem

/// `xen-lab-agent survive`: the store client while the daemon dies, with all that it knew, and comes back.
struct SurviveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survive",
        abstract: "Uses the store until its daemon has died and come back, and says how that went.",
        discussion: "Prints 'ready' when the daemon may die.")

    @Option(help: "How long the daemon may be away, in seconds.")
    var patience = 40

    private static let folder: StorePath = "/tool/survive"

    func run() async throws {
        let store = try StoreClient.connect(requestTimeout: .seconds(patience))
        let first = store.epoch
        let node = try Self.folder.appending("epoch")
        try await store.write(node, "first")
        let watch = try await store.watch(Self.folder)
        _ = try await watch.next(until: deadline)
        let readers = (0..<4).map { _ in
            Task { try await Self.readThrough(store, node, until: deadline) }
        }
        Terminal.output.line("ready")

        let second = try await store.nextEpoch(after: first, until: deadline)
        try await expect(.lookAgain, of: watch)
        try await store.withTransaction { store throws(StoreError) in
            try await store.write(node, "second")
        }
        try await expect(.changed(node), of: watch)
        var readCount = 0
        for reader in readers { readCount += try await reader.value }
        try await store.remove(Self.folder)
        print("\(readCount) reads, each of its own epoch's value, from \(first) to \(second)")
    }

    private var deadline: Deadline { .after(.seconds(patience)) }

    private func expect(_ event: WatchEvent, of watch: StoreWatch) async throws {
        let found = try await watch.next(until: deadline)
        guard found == event else {
            throw ValidationError("the watch told \(found), and should have told \(event)")
        }
    }

    /// Reads until the second daemon's value comes. What the first one knew must not come after it has gone.
    private static func readThrough(
        _ store: StoreClient, _ node: StorePath, until deadline: Deadline
    ) async throws -> Int {
        var (count, isGone) = (0, false)
        while !deadline.hasPassed {
            do throws(StoreError) {
                let value = try await store.readString(node)
                if value == "second" { return count + 1 }
                guard !isGone else {
                    throw StoreError(.protocolViolation, "\(node) is \(value) again")
                }
            } catch {
                guard error.name == .noEntry else { throw error }
                isGone = true
            }
            count += 1
        }
        throw StoreError(.timedOut, "the daemon did not come back")
    }
}
